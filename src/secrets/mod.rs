//! Passwords: hashing with Argon2id on threads of its own, verification in equal time, generation. Sealing of what must be read again.

pub mod private_key;
pub mod remembered;
pub mod seal;

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rand::RngExt;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::config::{GENERATED_PASSWORD_CHARS, MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};
use crate::error::{Error, Kind, Result};

/// Threads that hash. Two: a flood of logins must leave the other cores to transfers and imports.
const THREADS: usize = 2;
/// Logins that may wait for a hashing thread (about ten seconds' worth).
const QUEUE: usize = 512;
/// Letters and digits that nobody takes for another: no `0 O o`, no `1 l I`.
const SIGNS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A new random password of letters and digits without look-alikes; it needs no quoting in a shell or URL.
#[must_use]
pub fn generate_password() -> String {
    // The thread's generator is a CSPRNG (ChaCha), seeded and reseeded by the system.
    let mut random = rand::rng();
    let mut sign =
        || SIGNS.get(random.random_range(0..SIGNS.len())).map_or('x', |b| char::from(*b));
    (0..GENERATED_PASSWORD_CHARS).map(|_| sign()).collect()
}

/// Checks a password that somebody chose.
///
/// # Errors
/// `Kind::Invalid` with the rule; the password itself is never in the message.
pub fn check_password(password: &str) -> Result<()> {
    let chars = password.chars().count();
    let problem = if chars < MIN_PASSWORD_CHARS {
        format!(
            "it has {chars} characters; use at least {MIN_PASSWORD_CHARS}, or let rollcall make one"
        )
    } else if password.len() > MAX_PASSWORD_BYTES {
        format!("it has {} bytes; use at most {MAX_PASSWORD_BYTES}", password.len())
    } else if password.chars().any(char::is_control) {
        "it holds a control character; FTP programs cannot send that".to_owned()
    } else if password.trim() != password {
        "it begins or ends with a space; many programs drop that".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(Kind::Invalid, format!("the password is not acceptable: {problem}")))
}

/// Argon2id (m = 19 MiB, t = 2, p = 1) on two fixed threads that keep their memory. Cheap to clone.
#[derive(Clone)]
pub struct Hasher {
    queue: SyncSender<Job>,
}

enum Job {
    Hash {
        password: Zeroizing<String>,
        reply: SyncSender<Result<String>>,
    },
    Verify {
        password: Zeroizing<String>,
        /// `None`: the login is unknown or has no password; the work is the same, the answer no.
        hash: Option<String>,
        reply: oneshot::Sender<Result<bool>>,
    },
}

impl Hasher {
    /// Starts the threads; their memory is taken with the first password.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        for n in 0..THREADS {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new()
                .name(format!("password-{n}"))
                .spawn(move || work(&jobs))
                .map_err(|e| Error::io("start a thread for passwords", e))?;
        }
        Ok(Self { queue })
    }

    /// Hashes a password (PHC string). Blocks for tens of milliseconds.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn hash(&self, password: &str) -> Result<String> {
        let (reply, result) = sync_channel(1);
        let password = Zeroizing::new(password.to_owned());
        self.queue.send(Job::Hash { password, reply }).map_err(|_| stopped())?;
        result.recv().map_err(|_| stopped())?
    }

    /// Whether `password` is the one behind `hash`. Takes as long for `None` and for over-long passwords, and says no.
    ///
    /// # Errors
    /// `Kind::Busy` when too many logins wait.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let (reply, result) = oneshot::channel();
        // An over-long password is nobody's; hashing megabytes of it would be a gift to strangers.
        let fits = password.len() <= MAX_PASSWORD_BYTES;
        let (password, hash) = if fits { (password, hash) } else { ("", None) };
        let job = Job::Verify {
            password: Zeroizing::new(password.to_owned()),
            hash: hash.map(str::to_owned),
            reply,
        };
        self.queue.try_send(job).map_err(|e| match e {
            TrySendError::Full(_) => {
                Error::new(Kind::Busy, "too many logins wait for their password check; try later")
            }
            TrySendError::Disconnected(_) => stopped(),
        })?;
        result.await.map_err(|_| stopped())?
    }
}

fn stopped() -> Error {
    Error::new(Kind::Internal, "the password threads have stopped; restart rollcall")
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    let mut memory = Vec::new();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Err(_) => return,
            Ok(Job::Hash { password, reply }) => drop(reply.send(hash(&password, &mut memory))),
            // The client has gone: nobody waits for the answer.
            Ok(Job::Verify { reply, .. }) if reply.is_closed() => {}
            Ok(Job::Verify { password, hash, reply }) => {
                drop(reply.send(verify(&password, hash.as_deref(), &mut memory)));
            }
        }
    }
}

fn hash(password: &str, memory: &mut Vec<Block>) -> Result<String> {
    let mut salt = [0_u8; 16];
    rand::rng().fill(&mut salt);
    let salt = Salt::new(&salt).map_err(|e| Error::caused(Kind::Internal, "make a salt", e))?;
    let params = Params::default();
    let output = compute(password, salt.as_ref(), &params, Params::DEFAULT_OUTPUT_LEN, memory)?;
    let (m, t, p) = (params.m_cost(), params.t_cost(), params.p_cost());
    Ok(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${output}"))
}

fn verify(password: &str, hash: Option<&str>, memory: &mut Vec<Block>) -> Result<bool> {
    let Some(hash) = hash else {
        let salt = [0_u8; 16];
        compute(password, &salt, &Params::default(), Params::DEFAULT_OUTPUT_LEN, memory)?;
        return Ok(false);
    };
    let unreadable = |e: argon2::password_hash::phc::Error| {
        Error::caused(
            Kind::Internal,
            "a stored password hash cannot be read; set the password again",
            e,
        )
    };
    let stored = PasswordHash::new(hash).map_err(unreadable)?;
    // The parameters are those of the day when the password was set.
    let params = Params::try_from(&stored).map_err(|e| {
        Error::caused(Kind::Internal, "a stored password hash has parameters of another kind", e)
    })?;
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(Error::new(Kind::Internal, "a stored password hash has no salt or no hash"));
    };
    let found = compute(password, salt.as_ref(), &params, expected.len(), memory)?;
    // Output compares in constant time.
    Ok(found == *expected)
}

fn compute(
    password: &str,
    salt: &[u8],
    params: &Params,
    output_bytes: usize,
    memory: &mut Vec<Block>,
) -> Result<Output> {
    let failed = |e: argon2::Error| Error::caused(Kind::Internal, "hash a password", e);
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let memory = memory.get_mut(..blocks).unwrap_or_default();
    let mut output = Zeroizing::new(vec![0_u8; output_bytes]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut output, memory)
        .map_err(failed)?;
    Output::new(&output).map_err(|e| Error::caused(Kind::Internal, "hash a password", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_verified_against_its_own_hash_only() {
        let hasher = Hasher::start().unwrap();
        let hash = hasher.hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash("correct horse").unwrap(), "each hash has its own salt");
        assert!(hasher.verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("correct horsf", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("", Some(&hash)).await.unwrap());
        assert!(!hasher.verify("correct horse", None).await.unwrap());
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        assert!(!hasher.verify(&long, Some(&hasher.hash("").unwrap())).await.unwrap());
        assert!(hasher.verify("x", Some("not a hash")).await.is_err());
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_still_verifies() {
        let params = Params::new(64, 1, 1, None).unwrap();
        let mut memory = Vec::new();
        let output = compute("secret", &[7; 16], &params, 32, &mut memory).unwrap();
        let salt = Salt::new(&[7; 16]).unwrap();
        let old = format!("$argon2id$v=19$m=64,t=1,p=1${salt}${output}");
        let hasher = Hasher::start().unwrap();
        assert!(hasher.verify("secret", Some(&old)).await.unwrap());
    }

    #[test]
    fn generated_passwords_are_long_without_look_alikes_and_never_the_same() {
        let made: std::collections::BTreeSet<_> = (0..200).map(|_| generate_password()).collect();
        assert_eq!(made.len(), 200);
        for password in made {
            assert!(password.len() >= 20 && check_password(&password).is_ok());
            assert!(!password.contains(['0', 'O', 'o', '1', 'l', 'I']), "{password}");
        }
    }

    #[test]
    fn chosen_passwords_have_rules() {
        for bad in ["short", "tab\tin the middle", " leading space.", ""] {
            let message = check_password(bad).unwrap_err().message().to_owned();
            assert!(bad.is_empty() || !message.contains(bad), "{message}");
        }
        assert!(check_password(&"x".repeat(2000)).is_err());
        assert!(check_password("Überraschung 2026").is_ok());
    }
}
