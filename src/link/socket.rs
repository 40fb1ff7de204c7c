//! Where an engine's socket is: beside the session, or if that is impossible, in the user's runtime
//! folder. The session's lock names it, so a viewer need not guess.

use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::session::store::Store;

/// A socket that listens; its file is removed when dropped.
#[derive(Debug)]
pub struct BoundSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Its inode, to notice a replaced file.
    inode: u64,
}

/// The socket could not be created anywhere: each place tried, and its error.
#[derive(Debug, thiserror::Error)]
#[error("no socket could be made for viewers ({})", .0.iter().map(|(path, error)| format!("{}: {error}", path.display())).collect::<Vec<_>>().join("; "))]
pub struct BindError(Vec<(PathBuf, io::Error)>);

impl BoundSocket {
    /// The listening socket.
    pub fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether its file is still there; cleaners of temporary folders remove it.
    pub fn is_in_place(&self) -> bool {
        inode(&self.path) == Some(self.inode)
    }

    /// Creates the socket of a session whose lock the caller holds: beside the session file, else
    /// in `$XDG_RUNTIME_DIR`, else in a private folder under the temporary one.
    ///
    /// Any socket already there is stale, since the lock is ours, and is replaced.
    ///
    /// # Errors
    /// Every place tried, and its error.
    pub fn bind(store: &Store, name: &str) -> Result<Self, BindError> {
        let mut tried = Vec::new();
        for path in places(store, name) {
            match bind(&path) {
                Ok(listener) => {
                    let inode = inode(&path).unwrap_or_default();
                    return Ok(Self {
                        listener,
                        path,
                        inode,
                    });
                }
                Err(error) => tried.push((path, error)),
            }
        }
        Err(BindError(tried))
    }
}

impl Drop for BoundSocket {
    fn drop(&mut self) {
        // The next engine may have replaced it already.
        if inode(&self.path) == Some(self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn inode(path: &Path) -> Option<u64> {
    Some(std::fs::symlink_metadata(path).ok()?.ino())
}

/// Places for the socket, best first.
fn places(store: &Store, name: &str) -> Vec<PathBuf> {
    let folder = std::path::absolute(store.folder()).unwrap_or_else(|_| store.folder().to_owned());
    // Two folders may hold sessions of the same name; in other places a checksum of the
    // path distinguishes them and keeps the socket's path short.
    let unique = crc32fast::hash(folder.join(name).as_os_str().as_encoded_bytes());
    let short = format!("{unique:08x}.sock");
    let mut places = vec![folder.join(format!("{name}.sock"))];
    if let Some(runtime) = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        places.push(PathBuf::from(runtime).join("noisescope").join(&short));
    }
    let user = rustix::process::getuid().as_raw();
    places.push(
        std::env::temp_dir()
            .join(format!("noisescope-{user}"))
            .join(short),
    );
    places
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    check_private(path)?;
    match std::fs::symlink_metadata(path) {
        Ok(existing) if existing.file_type().is_socket() => std::fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::other("there is a file that is not a socket")),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Checks that a socket's folder in the temporary one is writable by this user only: anyone else who can write
/// there could replace our socket.
fn check_private(path: &Path) -> io::Result<()> {
    let Some(folder) = path
        .parent()
        .filter(|_| path.starts_with(std::env::temp_dir()))
    else {
        return Ok(());
    };
    let metadata = std::fs::metadata(folder)?;
    let is_ours = metadata.uid() == rustix::process::getuid().as_raw();
    if metadata.is_dir() && is_ours && (metadata.mode() & 0o022 == 0) {
        Ok(())
    } else {
        Err(io::Error::other("others may write to its folder"))
    }
}
