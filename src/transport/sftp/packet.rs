//! Frames of an SFTP stream as calls, and answers as frames. Source: draft-ietf-secsh-filexfer-02.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use russh_sftp::protocol::{Packet, Status, StatusCode};

use crate::error::{Error, Kind};

/// The longest packet, without its length field; announced by `limits@openssh.com`.
pub(super) const MAX_PACKET_BYTES: usize = 262_144;
/// The most bytes of one READ or WRITE; announced by `limits@openssh.com`.
pub(super) const MAX_DATA_BYTES: usize = 261_120;
/// The longest packet that carries no file data: two paths and attributes fit well.
const MAX_PLAIN_BYTES: usize = 32_768;
/// Length, type, id and data length before the bytes of `DATA`.
pub(super) const DATA_HEAD_BYTES: usize = 13;
/// The longest text of a status, in characters.
const MAX_STATUS_CHARS: usize = 1_000;

const FXP_INIT: u8 = 1;
const FXP_READ: u8 = 5;
const FXP_WRITE: u8 = 6;
const FXP_DATA: u8 = 103;
const FXP_EXTENDED: u8 = 200;
/// From INIT to SYMLINK.
const LAST_REQUEST: u8 = 20;

/// One request of a client.
#[derive(Debug)]
pub(super) struct Call {
    /// The client's number for it; 0 for INIT.
    pub(super) id: u32,
    pub(super) what: What,
}

/// What a client asks for.
#[derive(Debug)]
pub(super) enum What {
    /// Small, as some programs ask for a whole file at once in pieces of 32 KiB.
    Read { handle: u64, offset: u64, bytes: u32 },
    /// Apart from the codec's own, so that the data is not copied again.
    Write(Box<Write>),
    /// Everything else, as the codec reads it.
    Packet(Box<Packet>),
    /// A type that version 3 does not know.
    Unknown(u8),
}

/// File data to be written.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) handle: u64,
    pub(super) offset: u64,
    pub(super) data: Bytes,
}

/// A handle that is never given out.
const NO_HANDLE: u64 = u64::MAX;

/// The number that a handle is the text of; one that we did not give out stands for no handle.
pub(super) fn handle_number(handle: &[u8]) -> u64 {
    std::str::from_utf8(handle).ok().and_then(|h| h.parse().ok()).unwrap_or(NO_HANDLE)
}

/// The stream is out of step: nothing that follows can be trusted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("a packet of {0} bytes is longer than allowed")]
    TooLong(usize),
    #[error("a packet of type {0} cannot be read: {1}")]
    Unreadable(u8, String),
}

/// Cuts a byte stream into calls.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: BytesMut,
}

impl Frames {
    pub(super) fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next whole call, if it has arrived, with the bytes that it takes in memory.
    pub(super) fn next(&mut self) -> Result<Option<(Call, usize)>, Broken> {
        let Some((head, rest)) = self.buffer.split_first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
        // The type alone decides how long a packet may be, so wait for it.
        let Some(kind) = rest.first().copied() else {
            return if length == 0 { Err(Broken::TooLong(0)) } else { Ok(None) };
        };
        let most = if kind == FXP_WRITE { MAX_PACKET_BYTES } else { MAX_PLAIN_BYTES };
        if length == 0 || length > most {
            return Err(Broken::TooLong(length));
        }
        let Some(missing) = (length + 4).checked_sub(self.buffer.len()).filter(|m| *m > 0) else {
            let mut frame = self.buffer.split_to(length + 4).freeze();
            if self.buffer.is_empty() {
                // An idle session must not keep the memory of its last burst.
                self.buffer = BytesMut::new();
            }
            frame.advance(4);
            return parse(kind, frame).map(|call| Some((call, length)));
        };
        self.buffer.reserve(missing);
        Ok(None)
    }
}

fn parse(kind: u8, mut frame: Bytes) -> Result<Call, Broken> {
    match kind {
        FXP_READ | FXP_WRITE => {
            let body = frame.slice(1..);
            let call = if kind == FXP_READ { parse_read(body) } else { parse_write(body) };
            call.ok_or_else(|| Broken::Unreadable(kind, "it is cut short".to_owned()))
        }
        FXP_INIT..=LAST_REQUEST if kind != 2 => parse_with_codec(kind, &mut frame),
        FXP_EXTENDED => parse_with_codec(kind, &mut frame),
        _ => {
            let id = frame.slice(1..).try_get_u32();
            let id = id.map_err(|e| Broken::Unreadable(kind, e.to_string()))?;
            Ok(Call { id, what: What::Unknown(kind) })
        }
    }
}

fn parse_with_codec(kind: u8, frame: &mut Bytes) -> Result<Call, Broken> {
    let packet = Packet::try_from(frame).map_err(|e| Broken::Unreadable(kind, e.to_string()))?;
    Ok(Call { id: packet.get_request_id(), what: What::Packet(Box::new(packet)) })
}

fn parse_read(mut body: Bytes) -> Option<Call> {
    let id = body.try_get_u32().ok()?;
    let handle = handle_number(&take_string(&mut body)?);
    let offset = body.try_get_u64().ok()?;
    let bytes = body.try_get_u32().ok()?;
    Some(Call { id, what: What::Read { handle, offset, bytes } })
}

fn parse_write(mut body: Bytes) -> Option<Call> {
    let id = body.try_get_u32().ok()?;
    let handle = handle_number(&take_string(&mut body)?);
    let offset = body.try_get_u64().ok()?;
    let data = take_string(&mut body)?;
    Some(Call { id, what: What::Write(Box::new(Write { handle, offset, data })) })
}

fn take_string(body: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(body.try_get_u32().ok()?).ok()?;
    (body.len() >= length).then(|| body.split_to(length))
}

/// The answer `DATA`, filled by `read`, which is given the room and says how much of it holds bytes.
///
/// # Errors
/// Those of `read`.
pub(super) fn data_reply<E>(
    id: u32,
    room: usize,
    read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> Result<Option<Bytes>, E> {
    let mut frame = BytesMut::zeroed(DATA_HEAD_BYTES + room);
    let Some((head, body)) = frame.split_at_mut_checked(DATA_HEAD_BYTES) else { return Ok(None) };
    let got = read(body)?.min(room);
    if got == 0 {
        return Ok(None);
    }
    let length = u32::try_from(got).unwrap_or(u32::MAX);
    let mut head: &mut [u8] = head;
    head.put_u32(length.saturating_add(9));
    head.put_u8(FXP_DATA);
    head.put_u32(id);
    head.put_u32(length);
    frame.truncate(DATA_HEAD_BYTES + got);
    Ok(Some(frame.freeze()))
}

/// A status with a text for people.
pub(super) fn status(id: u32, code: StatusCode, text: &str) -> Packet {
    Packet::Status(Status {
        id,
        status_code: code,
        error_message: text.chars().take(MAX_STATUS_CHARS).collect(),
        language_tag: "en".to_owned(),
    })
}

/// An error as the status that comes nearest, with its message.
pub(super) fn refusal(id: u32, error: &Error) -> Packet {
    let code = match error.kind() {
        Kind::NotFound | Kind::NotFolder => StatusCode::NoSuchFile,
        Kind::Denied => StatusCode::PermissionDenied,
        Kind::Unsupported => StatusCode::OpUnsupported,
        _ => StatusCode::Failure,
    };
    status(id, code, error.message())
}

/// A packet as bytes. An answer that cannot be encoded becomes a plain failure, so that no client waits for ever.
pub(super) fn encode(id: u32, packet: Packet) -> Bytes {
    Bytes::try_from(packet).unwrap_or_else(|error| {
        tracing::error!(%error, "an SFTP answer could not be encoded");
        let plain = status(id, StatusCode::Failure, "The answer could not be encoded");
        Bytes::try_from(plain).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u32(u32::try_from(body.len() + 1).unwrap());
        out.put_u8(kind);
        out.extend_from_slice(body);
        out
    }

    fn write_body(data: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        body.put_u32(7);
        body.put_u32(2);
        body.extend_from_slice(b"31");
        body.put_u64(99);
        body.put_u32(u32::try_from(data.len()).unwrap());
        body.extend_from_slice(data);
        body
    }

    #[test]
    fn calls_come_out_whole_however_the_stream_is_cut() {
        let mut stream = frame(6, &write_body(&[5; 3000]));
        stream.extend(frame(4, &[0, 0, 0, 8, 0, 0, 0, 2, b'h', b'1']));
        for piece in [1, 7, 1000, 100_000] {
            let mut frames = Frames::default();
            let mut calls = Vec::new();
            for part in stream.chunks(piece) {
                frames.push(part);
                while let Some((call, _)) = frames.next().unwrap() {
                    calls.push(call);
                }
            }
            let [write, close] = calls.try_into().unwrap();
            assert_eq!((write.id, close.id), (7, 8));
            let What::Write(write) = write.what else { panic!("no write") };
            assert_eq!((write.handle, write.offset, &write.data[..]), (31, 99, &[5; 3000][..]));
            let What::Packet(packet) = close.what else { panic!("no packet") };
            assert!(matches!(*packet, Packet::Close(c) if c.handle == "h1"));
        }
    }

    #[test]
    fn what_is_too_long_or_cut_short_is_broken() {
        let broken = |bytes: &[u8]| {
            let mut frames = Frames::default();
            frames.push(bytes);
            frames.next().is_err()
        };
        assert!(broken(&[0xFF, 0xFF, 0xFF, 0xFF, 6]), "oversize before it has arrived");
        assert!(broken(&[0, 0, 0, 0]), "empty");
        assert!(broken(&[0, 1, 0, 0, 11]), "a long packet without file data");
        assert!(broken(&frame(6, &write_body(&[5; 30])[..20])), "cut WRITE");
        assert!(
            broken(&frame(3, &[0, 0, 0, 1, 0, 0, 0, 200, b'x'])),
            "name longer than the packet"
        );
        assert!(broken(&frame(99, &[1])), "unknown, and not even an id");
        let mut lying = write_body(&[5; 30]);
        lying[18..22].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(broken(&frame(6, &lying)), "data length beyond the packet");
    }

    #[test]
    fn unknown_types_keep_their_id() {
        let mut frames = Frames::default();
        frames.push(&frame(21, &[0, 0, 0, 5, 1, 2, 3]));
        let (call, _) = frames.next().unwrap().unwrap();
        assert!(call.id == 5 && matches!(call.what, What::Unknown(21)));
    }

    #[test]
    fn data_replies_are_framed_like_the_codec_would() {
        let ours = data_reply(9, 100, |room| {
            room[..3].copy_from_slice(b"abc");
            Ok::<_, Error>(3)
        });
        let codec = Packet::Data(russh_sftp::protocol::Data { id: 9, data: b"abc".to_vec() });
        assert_eq!(ours.unwrap().unwrap(), Bytes::try_from(codec).unwrap());
        assert!(data_reply(9, 100, |_| Ok::<_, Error>(0)).unwrap().is_none());
    }
}
