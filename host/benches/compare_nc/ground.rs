//! Where the file comes from and goes to: memory-backed storage with room for it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfs, statvfs};
use tempfile::TempDir;

use crate::{Failure, process};

/// Linux has one there.
const MEMORY: &str = "/dev/shm";

/// Beyond the file itself, twice: what the programs and the rest of the machine need.
const SPARE: u64 = 512 << 20;

/// A folder in memory, with the file to send in it. It goes when this is dropped.
pub(crate) struct Ground {
    folder: TempDir,
    pub(crate) bytes: u64,
}

impl Ground {
    pub(crate) fn prepare(bytes: u64) -> Result<Self, Failure> {
        check_memory_backed()?;
        let StatVfs { f_bavail, f_frsize, .. } = statvfs(MEMORY)?;
        let available = (f_bavail * f_frsize).min(available_memory()?);
        let needed = 2 * bytes + SPARE;
        if available < needed {
            return Err(format!(
                "{MEMORY} has {} MiB, {} are needed; give fewer MiB",
                available >> 20,
                needed >> 20
            )
            .into());
        }
        let folder = tempfile::Builder::new().prefix("sampan-compare-").tempdir_in(MEMORY)?;
        fs::create_dir(folder.path().join("received"))?;
        let ground = Self { folder, bytes };
        ground.fill()?;
        Ok(ground)
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.folder.path().join("file.bin")
    }

    /// The directory that takes the file, and nothing else.
    pub(crate) fn received(&self) -> PathBuf {
        self.folder.path().join("received")
    }

    pub(crate) fn destination(&self) -> PathBuf {
        self.received().join("file.bin")
    }

    /// Takes the destination away, with everything that is beside it.
    pub(crate) fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.received())? {
            let path = entry?.path();
            if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
        Ok(())
    }

    /// What arrived has the right size.
    pub(crate) fn check_size(&self) -> Result<(), Failure> {
        let size = self.destination().metadata()?.len();
        if size == self.bytes {
            Ok(())
        } else {
            Err(format!("{size} of {} bytes arrived", self.bytes).into())
        }
    }

    /// What arrived is what was sent.
    pub(crate) fn compare(&self) -> Result<(), Failure> {
        let (mut sent, mut received) = (File::open(self.source())?, File::open(self.destination())?);
        let (mut a, mut b) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        loop {
            process::check_interrupted()?;
            let n = sent.read(&mut a)?;
            if n == 0 {
                return self.check_size();
            }
            received.read_exact(&mut b[..n])?;
            if a[..n] != b[..n] {
                return Err("what arrived differs from what was sent".into());
            }
        }
    }

    /// Bytes that nothing can compress: xorshift64*.
    fn fill(&self) -> Result<(), Failure> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(self.source())?);
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for word in 0..self.bytes / 8 {
            if word % (1 << 20) == 0 {
                process::check_interrupted()?;
            }
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            file.write_all(&state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes())?;
        }
        Ok(file.flush()?)
    }
}

fn check_memory_backed() -> Result<(), Failure> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mut kind = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        (fields.next()? == MEMORY).then(|| fields.next()).flatten()
    });
    match kind.next_back() {
        Some("tmpfs" | "ramfs") => Ok(()),
        Some(other) => Err(format!("{MEMORY} is {other}, not memory").into()),
        None => Err(format!("nothing is mounted at {MEMORY}; mount -t tmpfs tmpfs {MEMORY}").into()),
    }
}

fn available_memory() -> Result<u64, Failure> {
    let memory = fs::read_to_string("/proc/meminfo")?;
    let line = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib =
        line.and_then(|line| line.split_whitespace().next()).ok_or("no MemAvailable in /proc/meminfo")?;
    Ok(kib.parse::<u64>()? << 10)
}

/// What sockets get here unless they ask for something else.
pub(crate) fn congestion_control() -> String {
    let path = Path::new("/proc/sys/net/ipv4/tcp_congestion_control");
    fs::read_to_string(path).map_or_else(|_| "unknown".into(), |name| name.trim().into())
}

/// A port that is free now.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether somebody listens there. To dial would take the only connection that netcat accepts.
pub(crate) fn is_listening(port: u16) -> io::Result<bool> {
    const LISTEN: &str = "0A";
    let local = format!(":{port:04X}");
    Ok(fs::read_to_string("/proc/net/tcp")?.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next().is_some_and(|address| address.ends_with(&local)) && fields.nth(1) == Some(LISTEN)
    }))
}
