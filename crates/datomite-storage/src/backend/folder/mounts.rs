//! Decides from the kernel's table of mounts whether a path lies on a network file system.

use std::path::Path;

/// Kinds whose locks or syncs do not reach the other machines, or not the disk.
const NETWORK_KINDS: [&str; 18] = [
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "fuse.ceph",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "gfs2",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "smb3",
    "smbfs",
];

/// The kind of the mount that `path` (absolute, without links) lies on, if it is a network's.
pub(super) fn network_kind(mounts: &str, path: &Path) -> Option<String> {
    let (_, kind) = mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let point = unescape(fields.next()?);
            let kind = fields.next()?;
            path.starts_with(&point).then_some((point.len(), kind))
        })
        .max_by_key(|(length, _)| *length)?;
    NETWORK_KINDS.contains(&kind).then(|| kind.to_owned())
}

/// Undoes the octal escapes for space, tab, newline and backslash.
fn unescape(field: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(field.to_owned(), |text, (from, to)| text.replace(from, to))
}
