//! Opening: which store a URI or path names, and the connection to it.
//!
//! Named databases in memory live in this process until they are deleted. A folder opened twice
//! in one process gives the same connection. Other schemes belong to backends that a host
//! registers. Opening a store replays its log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

use datomite_model::T;
use datomite_storage::{Backend, FolderBackend, FolderOptions, Log, StorageError};
use parking_lot::Mutex;

use crate::connection::Shared;
use crate::{Connection, Db, DbError, Options, bootstrap};

/// Makes the backend that a URI of a registered scheme names.
pub type OpenBackend = dyn Fn(&str) -> Result<Arc<dyn Backend>, StorageError> + Send + Sync;

/// What this process knows of databases.
#[derive(Default)]
struct Catalog {
    memory: BTreeMap<String, Connection>,
    folders: BTreeMap<PathBuf, Weak<Shared>>,
    schemes: BTreeMap<String, Arc<OpenBackend>>,
}

/// What a URI or path names.
enum Place {
    Memory(String),
    Folder(PathBuf),
    Registered { scheme: String, uri: String },
}

/// A fresh database in memory, private to its handle.
pub fn mem() -> Connection {
    mem_with(Options::new())
}

/// As [`mem`], with options.
pub fn mem_with(options: Options) -> Connection {
    let log = Log::memory(options.log_options()).expect("invariant: memory takes a new database");
    let options = Arc::new(options.writing());
    let db = start(&log, &options);
    Connection::new(db, log, options)
}

/// Opens a database, and makes it first where there is none.
pub fn open(uri: &str) -> Result<Connection, DbError> {
    open_with(uri, Options::new())
}

/// As [`open`], with options. A connection that exists already keeps its own.
pub fn open_with(uri: &str, options: Options) -> Result<Connection, DbError> {
    reach(uri, options, true)
}

/// Opens a database that exists.
pub fn connect(uri: &str) -> Result<Connection, DbError> {
    connect_with(uri, Options::new())
}

/// As [`connect`], with options.
pub fn connect_with(uri: &str, options: Options) -> Result<Connection, DbError> {
    reach(uri, options, false)
}

/// Makes a database; false where it exists already.
pub fn create_database(uri: &str) -> Result<bool, DbError> {
    let place = Place::of(uri)?;
    if place.exists()? {
        return Ok(false);
    }
    open(uri).map(|_| true)
}

/// Deletes a database and all that is in it; false where there is none.
pub fn delete_database(uri: &str) -> Result<bool, DbError> {
    match Place::of(uri)? {
        Place::Memory(name) => Ok(catalog().lock().memory.remove(&name).is_some()),
        Place::Folder(path) => {
            let mut catalog = catalog().lock();
            if !folder(&path, &Options::new())?.holds_store() {
                return Ok(false);
            }
            let key = folder_key(&path);
            if let Some(open) = catalog.folders.remove(&key)
                && let Some(connection) = Connection::from_weak(&open)
            {
                connection.release();
            }
            let failed = |error: std::io::Error| StorageError::Io {
                what: format!("deleting {}", path.display()),
                message: error.to_string(),
            };
            std::fs::remove_dir_all(&path).map_err(failed)?;
            Ok(true)
        }
        Place::Registered { scheme, uri } => Err(DbError::InvalidUri {
            why: format!("a {scheme} database is deleted with its own tools"),
            uri,
        }),
    }
}

/// The names of the databases in this process's memory, or of the stores directly in a folder.
pub fn database_names(uri: &str) -> Result<Vec<String>, DbError> {
    let path = match Place::of(uri)? {
        Place::Memory(_) => return Ok(catalog().lock().memory.keys().cloned().collect()),
        Place::Folder(path) => path,
        Place::Registered { scheme, uri } => {
            return Err(DbError::InvalidUri {
                why: format!("a {scheme} catalog is read with its own tools"),
                uri,
            });
        }
    };
    let failed = |error: std::io::Error| StorageError::Io {
        what: format!("reading {}", path.display()),
        message: error.to_string(),
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().is_dir() && folder(&entry.path(), &Options::new())?.holds_store() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Says how URIs of a scheme (`datomite:SCHEME://…`) become backends.
pub fn register(
    scheme: &str,
    open: impl Fn(&str) -> Result<Arc<dyn Backend>, StorageError> + Send + Sync + 'static,
) {
    let schemes = &mut catalog().lock().schemes;
    schemes.insert(scheme.to_owned(), Arc::new(open));
}

/// Opens a store on a backend, and makes it first where there is none.
pub fn open_backend(backend: Arc<dyn Backend>, options: Options) -> Result<Connection, DbError> {
    let log_options = options.log_options();
    let exists = backend.root()?.is_some();
    let log = match (options.read_only, exists) {
        (true, _) => Log::follow(backend, log_options)?,
        (false, true) => Log::open(backend, log_options)?,
        (false, false) => Log::create(backend, log_options)?,
    };
    let options = Arc::new(options);
    let records = log.read(T::new(0)..);
    let db = start(&log, &options).replay(records)?;
    Ok(Connection::new(db, log, options))
}

/// The database before the first record of its log.
fn start(log: &Log, options: &Arc<Options>) -> Db {
    let db = bootstrap::bootstrap(log.id(), Arc::clone(options));
    let mut basis = db.basis.as_ref().clone();
    basis.log = Some(log.clone());
    basis.parent = log.parent();
    basis.attach_source();
    Db::of(basis)
}

fn catalog() -> &'static Mutex<Catalog> {
    static CATALOG: OnceLock<Mutex<Catalog>> = OnceLock::new();
    CATALOG.get_or_init(Mutex::default)
}

fn reach(uri: &str, options: Options, create: bool) -> Result<Connection, DbError> {
    let missing = || DbError::DatabaseNotFound {
        name: uri.to_owned(),
    };
    match Place::of(uri)? {
        Place::Memory(name) => {
            let memory = &mut catalog().lock().memory;
            if let Some(connection) = memory.get(&name) {
                return Ok(connection.clone());
            }
            if !create {
                return Err(missing());
            }
            Ok(memory.entry(name).or_insert(mem_with(options)).clone())
        }
        Place::Folder(path) => {
            // Held to the end: two threads that open one folder get one connection.
            let mut catalog = catalog().lock();
            let known = catalog.folders.get(&folder_key(&path));
            if let Some(connection) = known.and_then(Connection::from_weak)
                && !options.read_only
            {
                return Ok(connection);
            }
            let backend = folder(&path, &options)?;
            if !backend.holds_store() && (!create || options.read_only) {
                return Err(missing());
            }
            let shared = !options.read_only;
            let connection = open_backend(Arc::new(backend), options)?;
            if shared {
                let weak = Arc::downgrade(&connection.shared);
                catalog.folders.insert(folder_key(&path), weak);
            }
            Ok(connection)
        }
        Place::Registered { scheme, uri } => {
            let open = catalog().lock().schemes.get(&scheme).cloned();
            let backend = open.ok_or(DbError::UnknownScheme { scheme })?(&uri)?;
            if !create && backend.root()?.is_none() {
                return Err(missing());
            }
            open_backend(backend, options)
        }
    }
}

impl Place {
    fn of(uri: &str) -> Result<Place, DbError> {
        let invalid = |why: &str| DbError::InvalidUri {
            uri: uri.to_owned(),
            why: why.to_owned(),
        };
        let memory = uri
            .strip_prefix("datomite:mem://")
            .or_else(|| uri.strip_prefix("datomic:mem://"));
        if let Some(name) = memory {
            return match name {
                "" => Err(invalid("a database in memory needs a name")),
                name => Ok(Place::Memory(name.to_owned())),
            };
        }
        if uri.starts_with("datomic:") {
            return Err(invalid(
                "only datomic:mem is understood; export the database from Datomic and import that",
            ));
        }
        if let Some(path) = uri.strip_prefix("datomite:file://") {
            return match path {
                "" => Err(invalid("a path is missing")),
                path => Ok(Place::Folder(PathBuf::from(path))),
            };
        }
        if let Some(rest) = uri.strip_prefix("datomite:") {
            return match rest.split_once("://") {
                Some((scheme, _)) if !scheme.is_empty() => Ok(Place::Registered {
                    scheme: scheme.to_owned(),
                    uri: uri.to_owned(),
                }),
                _ => Err(invalid("expected datomite:SCHEME://NAME")),
            };
        }
        match uri {
            "" => Err(invalid("it is empty")),
            path => Ok(Place::Folder(PathBuf::from(path))),
        }
    }

    fn exists(&self) -> Result<bool, DbError> {
        match self {
            Place::Memory(name) => Ok(catalog().lock().memory.contains_key(name)),
            Place::Folder(path) => Ok(folder(path, &Options::new())?.holds_store()),
            Place::Registered { scheme, uri } => {
                let open = catalog().lock().schemes.get(scheme).cloned();
                let unknown = || DbError::UnknownScheme {
                    scheme: scheme.clone(),
                };
                Ok(open.ok_or_else(unknown)?(uri)?.root()?.is_some())
            }
        }
    }
}

fn folder(path: &Path, options: &Options) -> Result<FolderBackend, DbError> {
    let mut folder_options = FolderOptions::default().durability(options.durability);
    folder_options.allow_network = options.allow_network;
    Ok(FolderBackend::open(path, folder_options)?)
}

/// One name for a folder however it was written; of one that is not there yet, its parent's.
fn folder_key(path: &Path) -> PathBuf {
    if let Ok(key) = path.canonicalize() {
        return key;
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match (parent.canonicalize(), path.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}
