//! Bytes of transfers that may wait in memory, for all connections together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget `limits.transfer_memory_bytes`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TransferMemory {
    kib: Arc<Semaphore>,
    total_kib: u32,
}

/// A share of the budget; dropping it gives it back.
#[derive(Debug)]
pub struct Reserved {
    _permit: Option<OwnedSemaphorePermit>,
}

impl TransferMemory {
    /// A budget of `bytes`.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let total_kib = kib(bytes).max(1);
        let permits = usize::try_from(total_kib).unwrap_or(Semaphore::MAX_PERMITS);
        Self { kib: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))), total_kib }
    }

    /// Waits until `bytes` fit into the budget. A piece larger than the whole budget takes all of it.
    ///
    /// Whoever waits here must not hold a share that only its own progress would free.
    pub async fn reserve(&self, bytes: usize) -> Reserved {
        let wanted = kib(bytes).min(self.total_kib);
        let permit = Arc::clone(&self.kib).acquire_many_owned(wanted).await;
        // The semaphore is never closed, so there is always a permit.
        Reserved { _permit: permit.ok() }
    }

    /// The same without waiting; `None` when the budget is used up.
    #[must_use]
    pub fn try_reserve(&self, bytes: usize) -> Option<Reserved> {
        let wanted = kib(bytes).min(self.total_kib);
        let permit = Arc::clone(&self.kib).try_acquire_many_owned(wanted).ok()?;
        Some(Reserved { _permit: Some(permit) })
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_budget_is_shared_and_comes_back() {
        let memory = TransferMemory::new(4096);
        let first = memory.reserve(3000).await;
        assert!(memory.try_reserve(2000).is_none());
        assert!(memory.try_reserve(1000).is_some());
        drop(first);
        assert!(memory.try_reserve(4096).is_some());
        // Larger than everything: takes all, instead of waiting for ever.
        assert!(memory.try_reserve(1 << 30).is_some());
    }
}
