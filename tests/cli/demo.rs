//! `sampan demo` as its users see it: exit codes, what it says, and what it leaves behind.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

struct Ran {
    output: Output,
    left_behind: Vec<String>,
}

impl Ran {
    fn stdout(&self) -> &str {
        str::from_utf8(&self.output.stdout).unwrap()
    }

    fn stderr(&self) -> &str {
        str::from_utf8(&self.output.stderr).unwrap()
    }

    fn assert_exit(&self, code: i32) {
        let said = (self.stdout(), self.stderr());
        assert_eq!(self.output.status.code(), Some(code), "{said:?}");
        assert_eq!(self.left_behind, [""; 0]);
    }

    /// What it says of a file that arrived: the same digest twice, and what was verified.
    fn assert_verified(&self, digest: &str, size: &str) {
        self.assert_exit(0);
        let lines: Vec<&str> = self.stdout().lines().collect();
        let [_, sent, received, verified] = lines[..] else { panic!("{lines:?}") };
        assert_eq!((sent, received), (&*format!("sent      {digest}"), &*format!("received  {digest}")));
        assert!(verified.starts_with(&format!("verified  {size} in ")), "{verified}");
        assert!(verified.ends_with(" MB/s"), "{verified}");
        for said in [self.stdout(), self.stderr()] {
            assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
        }
    }
}

/// A folder with nothing in it but what a test puts there, and another for temporary files.
struct Folders {
    files: TempDir,
    temporary: TempDir,
}

impl Folders {
    fn new() -> Self {
        Self { files: tempfile::tempdir().unwrap(), temporary: tempfile::tempdir().unwrap() }
    }

    fn with(contents: &[u8]) -> Self {
        let folders = Self::new();
        fs::write(folders.path("file"), contents).unwrap();
        folders
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.files.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sampan"));
        command.env("TMPDIR", self.temporary.path()).env("TEMP", self.temporary.path());
        command.env("TMP", self.temporary.path()).current_dir(self.files.path()).stdin(Stdio::null());
        command
    }

    fn demo(&self, arguments: &[&str]) -> Ran {
        let output = self.command().arg("demo").args(arguments).output().unwrap();
        Ran { output, left_behind: entries(self.temporary.path()) }
    }
}

fn entries(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn an_empty_file_arrives() {
    Folders::with(b"").demo(&["file"]).assert_verified("crc64 0000000000000000", "0 bytes");
}

#[test]
fn one_byte_arrives() {
    Folders::with(b"x").demo(&["file"]).assert_verified("crc64 2dbd67026454e4b1", "1 byte");
}

#[test]
fn a_file_one_byte_short_of_64_kib_arrives() {
    let contents: Vec<u8> = (0..65_535_u32).map(|n| ((n * n) >> 7) as u8).collect();
    let ran = Folders::with(&contents).demo(&["file", "--digest", "crc32"]);
    ran.assert_verified("crc32 89b65eab", "65535 bytes");
}

#[test]
fn every_digest_is_shown_as_other_tools_show_it() {
    let folders = Folders::with(b"123456789");
    for digest in [
        "crc32 cbf43926",
        "crc64 ae8b14860a799888",
        "sha256 15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
        "blake3 b7d65b48420d1033cb2595293263b6f72eabee20d55e699d0df1973b3c9deed1",
    ] {
        let kind = digest.split(' ').next().unwrap();
        folders.demo(&["file", "--digest", kind]).assert_verified(digest, "9 bytes");
    }
}

#[test]
fn without_a_file_one_is_made_up() {
    let ran = Folders::new().demo(&[]);
    ran.assert_verified("crc64 2e11f6fc14860947", "268.4 MB");
    assert!(ran.stdout().starts_with("file      made up, 268.4 MB\n"), "{}", ran.stdout());
}

#[test]
#[ignore = "job large"]
fn a_sparse_file_beyond_4_gib_arrives() {
    let folders = Folders::new();
    File::create(folders.path("file")).unwrap().set_len((4 << 30) + 1).unwrap();
    let ran = folders.demo(&["file", "--no-progress"]);
    ran.assert_verified("crc64 3cbf876c3448e1cd", "4295.0 MB");
}

#[test]
fn quiet_says_nothing() {
    let ran = Folders::with(b"x").demo(&["-q", "file"]);
    ran.assert_exit(0);
    assert_eq!((ran.stdout(), ran.stderr()), ("", ""));
}

#[test]
fn a_missing_file_is_named_with_reason_and_advice() {
    let ran = Folders::new().demo(&["nowhere\n"]);
    ran.assert_exit(8);
    assert_eq!(ran.stdout(), "");
    assert!(ran.stderr().starts_with("sampan: cannot open \"nowhere\\n\": "), "{}", ran.stderr());
    assert!(ran.stderr().ends_with("; check the spelling and the folder\n"), "{}", ran.stderr());
}

#[test]
fn a_directory_is_not_sent() {
    let ran = Folders::new().demo(&["."]);
    ran.assert_exit(8);
    assert_eq!(ran.stderr(), "sampan: cannot open \".\": it is a directory; name a file\n");
}

#[cfg(unix)]
#[test]
fn a_device_is_not_sent() {
    let ran = Folders::new().demo(&["/dev/zero"]);
    ran.assert_exit(8);
    assert_eq!(ran.stderr(), "sampan: cannot open \"/dev/zero\": it is not a regular file\n");
}

#[test]
fn a_name_that_no_transfer_can_have_is_refused() {
    let folders = Folders::new();
    fs::write(folders.path(".sampan-mine"), b"x").unwrap();
    let ran = folders.demo(&[".sampan-mine"]);
    ran.assert_exit(8);
    assert!(ran.stderr().contains("begins with .sampan; "), "{}", ran.stderr());
}

#[test]
fn what_cannot_be_understood_is_a_usage_error() {
    Folders::new().demo(&["--digest", "md5"]).assert_exit(2);
    Folders::new().demo(&["a", "b"]).assert_exit(2);
}

#[test]
fn a_temporary_folder_that_is_missing_is_named() {
    let folders = Folders::with(b"x");
    let output = folders
        .command()
        .env("TMPDIR", "/nonexistent")
        .env("TMP", "/nonexistent")
        .args(["demo", "file"])
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent"));
}

#[cfg(unix)]
#[test]
fn an_interruption_leaves_nothing_behind() {
    let folders = Folders::new();
    File::create(folders.path("file")).unwrap().set_len(4 << 30).unwrap();
    let mut child = folders
        .command()
        .args(["demo", "file"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let received = || {
        let folder = entries(folders.temporary.path()).pop()?;
        // It may not be there yet.
        let received = fs::read_dir(folders.temporary.path().join(folder).join("received"));
        received.ok()?.next()
    };
    while received().is_none() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ended = child.wait_with_output().unwrap();
    // Nothing is left that another demo could go on with.
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!((ended.status.code(), &*said), (Some(130), "sampan: interrupted\n"));
    assert_eq!(entries(folders.temporary.path()), [""; 0]);
}
