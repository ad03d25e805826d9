//! Opening: what of the log is whole, what is a torn end, and what is damage.
//!
//! A bad last frame is torn: the writer died while writing it, nobody was told of it, it is cut
//! off. A bad frame is damage where it cannot be that: before the position that the root vouches
//! for, in a sealed segment, or with a whole later frame after it that was written once the bad
//! one was durable. Damage is never repaired here; the error names the file and the last good t.

use datomite_model::T;
use parking_lot::RwLock;

use crate::backend::{Backend, BatchId, Epoch, Position};
use crate::format::{FRAME_HEADER_BYTES, FRAME_MAGIC};
use crate::log::{Fetched, Fetcher, Scan, decode_header, is_intact, seed};
use crate::{DatabaseId, LogOptions, Root, StorageError};

/// How much of the log is looked at behind a bad frame at a time.
const SEARCH_BYTES: u64 = 16 << 20;

/// A store whose log was checked and whose end is settled.
pub(crate) struct Recovered {
    pub(crate) root: Root,
    pub(crate) epoch: Epoch,
    pub(crate) scan: Scan,
}

/// Makes a new database in an empty place.
pub(crate) fn create(
    backend: &dyn Backend,
    id: DatabaseId,
    parent: Option<(DatabaseId, T)>,
    options: &LogOptions,
) -> Result<Epoch, StorageError> {
    refuse_existing(backend)?;
    let epoch = backend.acquire(&options.owner)?;
    let created = create_held(backend, id, parent, epoch);
    if created.is_err() {
        backend.release(epoch);
    }
    created.map(|()| epoch)
}

fn create_held(
    backend: &dyn Backend,
    id: DatabaseId,
    parent: Option<(DatabaseId, T)>,
    epoch: Epoch,
) -> Result<(), StorageError> {
    refuse_existing(backend)?;
    let root = Root::new(id, parent, epoch);
    backend.swap_root(epoch, crate::Version::NONE, &root.encode())?;
    settle_end(backend, epoch, &Scan::start(seed(id)))
}

fn refuse_existing(backend: &dyn Backend) -> Result<(), StorageError> {
    match backend.root()? {
        Some(_) => Err(StorageError::StoreExists {
            place: backend.place(),
        }),
        None => Ok(()),
    }
}

/// Becomes the writer and settles the end of the log.
pub(crate) fn open(backend: &dyn Backend, options: &LogOptions) -> Result<Recovered, StorageError> {
    read_root(backend)?.format.check_writable()?;
    let epoch = backend.acquire(&options.owner)?;
    let recovered = open_held(backend, epoch);
    if recovered.is_err() {
        backend.release(epoch);
    }
    recovered
}

fn open_held(backend: &dyn Backend, epoch: Epoch) -> Result<Recovered, StorageError> {
    let root = read_root(backend)?;
    let scan = RwLock::new(Scan::start(seed(root.id)));
    catch_up(backend, root.id, &scan)?;
    let mut scan = scan.into_inner();
    scan.rewind();
    settle_end(backend, epoch, &scan)?;
    Ok(Recovered { root, epoch, scan })
}

fn settle_end(backend: &dyn Backend, epoch: Epoch, scan: &Scan) -> Result<(), StorageError> {
    let batch = BatchId {
        epoch,
        sequence: scan.visible.sequence,
    };
    backend.append(epoch, scan.visible.position, batch, &[])?;
    Ok(())
}

/// Reads and checks the root.
pub(crate) fn read_root(backend: &dyn Backend) -> Result<Root, StorageError> {
    match backend.root()? {
        Some((_, bytes)) => Root::decode(&bytes, &format!("the root of {}", backend.place())),
        None => Err(StorageError::NoStore {
            place: backend.place(),
        }),
    }
}

/// Changes the root by compare-and-set, again where another change came between.
pub(crate) fn update_root(
    backend: &dyn Backend,
    epoch: Epoch,
    change: impl Fn(&mut Root),
) -> Result<(), StorageError> {
    loop {
        let Some((version, bytes)) = backend.root()? else {
            return Err(StorageError::NoStore {
                place: backend.place(),
            });
        };
        let mut root = Root::decode(&bytes, &backend.place())?;
        root.advance(&bytes);
        change(&mut root);
        let wanted = root.encode();
        match backend.swap_root(epoch, version, &wanted) {
            Err(StorageError::Conflict { .. }) => {}
            // Epoch and generation make these bytes ours alone: they settle it.
            Err(error @ StorageError::Unknown { .. }) => match backend.root() {
                Ok(Some((_, bytes))) if bytes == wanted => return Ok(()),
                _ => return Err(error),
            },
            done => return done.map(|_| ()),
        }
    }
}

/// Takes in what was made durable since the scan's end.
///
/// Frames beyond the visible ones may have been replaced by a later writer; so before a bad frame
/// is judged, reading starts once more behind the last visible one.
pub(crate) fn catch_up(
    backend: &dyn Backend,
    id: DatabaseId,
    scan: &RwLock<Scan>,
) -> Result<(), StorageError> {
    let fresh = scan.read().end == Scan::start(seed(id)).end;
    let mut again = fresh;
    let (end, visible, epoch) = {
        let scan = scan.read();
        (scan.end, scan.visible, scan.epoch)
    };
    if end != visible && read_root(backend)?.epoch != epoch {
        scan.write().rewind();
        again = true;
    }
    loop {
        let bad = take_frames(backend, scan)?;
        match bad {
            None if fresh => return check_complete(backend, scan),
            None => return Ok(()),
            Some(_) if !again => {
                scan.write().rewind();
                again = true;
            }
            Some(what) => return judge(backend, &scan.read(), what),
        }
    }
}

/// Steps through whole frames; says what stands where they end, if it is not the end.
fn take_frames(
    backend: &dyn Backend,
    scan: &RwLock<Scan>,
) -> Result<Option<&'static str>, StorageError> {
    let mut fetcher = Fetcher::new(scan.read().end.position);
    loop {
        match fetcher.next(backend)? {
            Fetched::Frame { header, .. } => {
                if let Err(misfit) = scan.write().step(&header) {
                    return Ok(Some(misfit));
                }
            }
            Fetched::End => return Ok(None),
            Fetched::Bad(what) => return Ok(Some(what)),
        }
    }
}

fn check_complete(backend: &dyn Backend, scan: &RwLock<Scan>) -> Result<(), StorageError> {
    let root = read_root(backend)?;
    let scan = scan.read();
    if scan.end.position < vouched(&root) {
        let what = "the log ends before what the root knows of";
        return Err(damaged(backend, scan.end.position, scan.last_t, what));
    }
    Ok(())
}

/// Up to here nothing may be missing.
fn vouched(root: &Root) -> Position {
    let sealed = root.segments.iter().filter_map(|segment| segment.seal);
    sealed
        .map(|seal| seal.end)
        .max()
        .unwrap_or_default()
        .max(root.position)
}

/// Decides whether what stands at the end of the scan is a torn end.
fn judge(backend: &dyn Backend, scan: &Scan, what: &'static str) -> Result<(), StorageError> {
    let root = read_root(backend)?;
    let at = scan.end.position;
    if at < vouched(&root) || later_frame(backend, scan)? {
        return Err(damaged(backend, at, scan.last_t, what));
    }
    Ok(())
}

/// Whether behind the bad frame stands a whole one that its writer wrote after the bad one was
/// durable. Without the sync in between, the disk may have kept either.
fn later_frame(backend: &dyn Backend, scan: &Scan) -> Result<bool, StorageError> {
    let mut rest = Vec::new();
    loop {
        let from = scan.end.position.plus(rest.len() as u64);
        let more = backend.read_log(from, SEARCH_BYTES)?;
        if more.is_empty() {
            break;
        }
        rest.extend_from_slice(&more);
    }
    let found = (1..rest.len().saturating_sub(FRAME_HEADER_BYTES - 1))
        .filter(|at| rest[*at..].starts_with(&FRAME_MAGIC))
        .any(|at| {
            let Ok(header) = decode_header(&rest[at..]) else {
                return false;
            };
            let end = usize::try_from(header.frame_bytes())
                .ok()
                .and_then(|bytes| at.checked_add(bytes))
                .filter(|end| *end <= rest.len());
            header.sequence > scan.end.sequence
                && !header.after_unsynced
                && end.is_some_and(|end| is_intact(&header, &rest[at..end]))
        });
    Ok(found)
}

/// The error for a bad place in the log.
pub(crate) fn damaged(
    backend: &dyn Backend,
    at: Position,
    after: Option<T>,
    what: &str,
) -> StorageError {
    let segment = read_root(backend).ok().and_then(|root| {
        let holds = |start: Position| start <= at;
        root.segments
            .into_iter()
            .rfind(|segment| holds(segment.start))
    });
    let file = match segment {
        Some(segment) => format!("{} of {}", segment.name, backend.place()),
        None => format!("the log of {}", backend.place()),
    };
    StorageError::Damaged {
        file,
        after,
        what: format!("{what}, at byte {at} of the log"),
    }
}
