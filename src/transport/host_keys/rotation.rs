//! The exchange of host keys: the next ones are made and told before they are used, the old ones can be shown for a time.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Record, SLOTS, Slot, fingerprint, read_key};
use crate::error::{Error, Kind, Result};

/// What a key is in the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyStage {
    /// The server proves itself with it.
    Now,
    /// It will, after the exchange.
    Next,
    /// It did, before the exchange.
    Before,
}

impl KeyStage {
    const ALL: [Self; 3] = [Self::Now, Self::Next, Self::Before];

    /// `now`, `next` or `before`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Next => "next",
            Self::Before => "before",
        }
    }

    pub(super) fn file(self, certs: &Path, slot: &Slot) -> PathBuf {
        match self {
            Self::Now => certs.join(slot.file),
            Self::Next => certs.join(format!("{}.next", slot.file)),
            Self::Before => certs.join(format!("{}.old", slot.file)),
        }
    }
}

/// A host key that lies in the certificates folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredKey {
    /// What it is in the exchange.
    pub stage: KeyStage,
    /// `ssh-ed25519`, `ssh-rsa` or `ecdsa-sha2-nistp256`.
    pub kind: String,
    /// `SHA256:…`
    pub fingerprint: String,
    /// `ssh-ed25519 AAAA…`: behind the server's name, a line of known_hosts.
    pub public_key: String,
}

/// The host keys of a server and the note of which it has.
#[derive(Debug)]
pub struct KeyRing {
    certs: PathBuf,
    record: PathBuf,
}

impl KeyRing {
    /// The keys in `certs`; `record` names those that the server has had.
    pub(in crate::transport) fn new(certs: &Path, record: &Path) -> Self {
        Self { certs: certs.to_owned(), record: record.to_owned() }
    }

    /// Every key that lies there.
    ///
    /// # Errors
    /// A key that cannot be read.
    pub fn keys(&self) -> Result<Vec<StoredKey>> {
        let mut found = Vec::new();
        for stage in KeyStage::ALL {
            for slot in SLOTS {
                let path = stage.file(&self.certs, &slot);
                if path.exists() {
                    found.push(stored(stage, &slot, &path)?);
                }
            }
        }
        Ok(found)
    }

    /// Makes the next key of every kind that the server has now; those that are made already stay.
    ///
    /// # Errors
    /// [`Kind::NotFound`] before the first start; a file that cannot be written.
    pub fn prepare(&self) -> Result<()> {
        for slot in self.present()? {
            let next = KeyStage::Next.file(&self.certs, &slot);
            if !next.exists() {
                slot.make_at(&next)?;
            }
        }
        Ok(())
    }

    /// Makes the next keys the present ones, and the present ones the old. A crash in between leaves keys with which the
    /// server starts; the command run again ends the exchange.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when no next keys were prepared; a file that cannot be read or moved.
    pub fn switch(&self) -> Result<()> {
        let is_prepared = |slot: &Slot| KeyStage::Next.file(&self.certs, slot).exists();
        let moved: Vec<Slot> = self.present()?.into_iter().filter(is_prepared).collect();
        if moved.is_empty() {
            let message = "there are no next host keys; make them with `rollcall keys prepare`, and tell your clients first";
            return Err(Error::new(Kind::Conflict, message));
        }
        let mut known = Record::read(&self.record)?;
        for slot in &moved {
            let next = read_key(&KeyStage::Next.file(&self.certs, slot))?;
            known.add(slot.algorithm, &fingerprint(&next));
        }
        // From here on a start takes either.
        known.write_if_changed(&self.record)?;
        for slot in &moved {
            self.exchange(slot)?;
        }
        // Also those that an exchange which was cut short had moved before.
        for slot in self.present()? {
            let now = read_key(&KeyStage::Now.file(&self.certs, &slot))?;
            known.keep_only(slot.algorithm, &fingerprint(&now));
        }
        known.write_if_changed(&self.record)
    }

    /// Removes the keys from before the last exchange.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there are none; a file that cannot be removed.
    pub fn forget(&self) -> Result<()> {
        let old = SLOTS.map(|slot| KeyStage::Before.file(&self.certs, &slot));
        let mut there = old.iter().filter(|path| path.exists()).peekable();
        if there.peek().is_none() {
            let message =
                "there are no host keys from before an exchange; nothing is to be removed";
            return Err(Error::new(Kind::NotFound, message));
        }
        there.try_for_each(|path| {
            fs::remove_file(path).map_err(|e| Error::io(format!("removing {}", path.display()), e))
        })
    }

    /// The kinds that the server has now.
    fn present(&self) -> Result<Vec<Slot>> {
        let is_there = |slot: &Slot| KeyStage::Now.file(&self.certs, slot).exists();
        let present: Vec<Slot> = SLOTS.into_iter().filter(is_there).collect();
        if present.is_empty() {
            let message = format!(
                "there are no host keys in {} yet; the first start makes them",
                self.certs.display()
            );
            return Err(Error::new(Kind::NotFound, message));
        }
        Ok(present)
    }

    /// The present key stays under its name until the next one takes it in one step.
    fn exchange(&self, slot: &Slot) -> Result<()> {
        let [now, next, before] = KeyStage::ALL.map(|stage| stage.file(&self.certs, slot));
        let move_them = || {
            let part = before.with_extension("part");
            drop(fs::remove_file(&part));
            fs::hard_link(&now, &part)?;
            fs::rename(&part, &before)?;
            fs::rename(&next, &now)?;
            fs::File::open(&self.certs)?.sync_all()
        };
        move_them().map_err(|e| Error::io(format!("exchanging {}", now.display()), e))
    }
}

fn stored(stage: KeyStage, slot: &Slot, path: &Path) -> Result<StoredKey> {
    let key = read_key(path)?;
    let line = key.public_key().to_openssh().map_err(|e| {
        Error::caused(Kind::Internal, format!("{} could not be written out", path.display()), e)
    })?;
    let public_key = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let kind = slot.algorithm.to_owned();
    Ok(StoredKey { stage, kind, fingerprint: fingerprint(&key), public_key })
}

#[cfg(test)]
mod tests {
    use super::super::HostKeys;
    use super::*;

    fn prints(ring: &KeyRing, stage: KeyStage) -> Vec<String> {
        let keys = ring.keys().unwrap().into_iter().filter(|key| key.stage == stage);
        keys.map(|key| key.fingerprint).collect()
    }

    #[test]
    fn next_keys_take_the_place_of_the_present_ones_which_stay_aside() {
        let folder = tempfile::tempdir().unwrap();
        let (certs, record) = (folder.path().join("certs"), folder.path().join("record"));
        let ring = KeyRing::new(&certs, &record);
        assert_eq!(ring.prepare().unwrap_err().kind(), Kind::NotFound);
        HostKeys::load_or_create(&certs, &record, false).unwrap();
        assert_eq!(ring.switch().unwrap_err().kind(), Kind::Conflict);
        assert!(HostKeys::load_old(&certs).unwrap().is_none());
        ring.prepare().unwrap();
        let (now, next) = (prints(&ring, KeyStage::Now), prints(&ring, KeyStage::Next));
        ring.prepare().unwrap();
        assert_eq!(prints(&ring, KeyStage::Next), next, "what clients were told stays");
        let started = HostKeys::load_or_create(&certs, &record, false).unwrap();
        assert_eq!(started.fingerprints().into_iter().map(|(_, f)| f).collect::<Vec<_>>(), now);
        ring.switch().unwrap();
        assert_eq!(prints(&ring, KeyStage::Now), next);
        assert_eq!(prints(&ring, KeyStage::Before), now);
        HostKeys::load_or_create(&certs, &record, false).unwrap();
        let old = HostKeys::load_old(&certs).unwrap().unwrap().fingerprints();
        assert_eq!(old.into_iter().map(|(_, f)| f).collect::<Vec<_>>(), now);
        ring.forget().unwrap();
        assert!(prints(&ring, KeyStage::Before).is_empty());
        assert_eq!(ring.forget().unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn a_crash_in_the_middle_leaves_a_server_that_starts_and_an_exchange_that_can_be_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (certs, record) = (folder.path().join("certs"), folder.path().join("record"));
        let ring = KeyRing::new(&certs, &record);
        HostKeys::load_or_create(&certs, &record, false).unwrap();
        ring.prepare().unwrap();
        let next = prints(&ring, KeyStage::Next);
        // As if it had ended between the first kind and the second.
        let mut known = Record::read(&record).unwrap();
        for (slot, print) in SLOTS.iter().zip(&next) {
            known.add(slot.algorithm, print);
        }
        known.write_if_changed(&record).unwrap();
        ring.exchange(&SLOTS[0]).unwrap();
        HostKeys::load_or_create(&certs, &record, false).unwrap();
        ring.switch().unwrap();
        assert_eq!(prints(&ring, KeyStage::Now), next);
        let mut known = Record::read(&record).unwrap().lines;
        known.retain(|(_, print)| !next.contains(print));
        assert_eq!(known, [], "the keys of before are not taken for ours any more");
        HostKeys::load_or_create(&certs, &record, false).unwrap();
    }
}
