//! Listeners: who is told of transactions, in their order, after they are durable.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::transact::TxReport;

type Callback = dyn Fn(&TxReport) + Send + Sync;

/// Everybody who listens to a connection.
#[derive(Clone, Default)]
pub(crate) struct Listeners {
    callbacks: Arc<Mutex<Callbacks>>,
}

#[derive(Default)]
struct Callbacks {
    next: u64,
    list: Vec<(u64, Arc<Callback>)>,
}

/// Keeps a callback registered; dropping it ends that.
#[must_use = "the callback ends when the handle is dropped"]
pub struct Listener {
    callbacks: Weak<Mutex<Callbacks>>,
    id: u64,
}

/// Reports of transactions, in order. It grows until it is read.
pub struct TxReportQueue {
    reports: Receiver<TxReport>,
    _listener: Listener,
}

impl Listeners {
    pub(crate) fn add(&self, callback: Arc<Callback>) -> Listener {
        let mut callbacks = self.callbacks.lock();
        let id = callbacks.next;
        callbacks.next += 1;
        callbacks.list.push((id, callback));
        Listener {
            callbacks: Arc::downgrade(&self.callbacks),
            id,
        }
    }

    pub(crate) fn queue(&self) -> TxReportQueue {
        let (sender, reports) = mpsc::channel();
        let listener = self.add(Arc::new(move |report: &TxReport| {
            // A queue that is gone wants no report; its listener ends with it.
            let _ = sender.send(report.clone());
        }));
        TxReportQueue {
            reports,
            _listener: listener,
        }
    }

    pub(crate) fn tell(&self, report: &TxReport) {
        // Called without the lock, so that a callback may listen or stop listening.
        let list = self.callbacks.lock().list.clone();
        for (_, callback) in list {
            callback(report);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(callbacks) = self.callbacks.upgrade() {
            callbacks.lock().list.retain(|(id, _)| *id != self.id);
        }
    }
}

impl TxReportQueue {
    /// The next report, if there is one.
    pub fn poll(&self) -> Option<TxReport> {
        self.reports.try_recv().ok()
    }

    /// The next report, waiting at most `timeout_ms`.
    pub fn wait(&self, timeout_ms: u64) -> Option<TxReport> {
        let limit = Duration::from_millis(timeout_ms);
        self.reports.recv_timeout(limit).ok()
    }
}
