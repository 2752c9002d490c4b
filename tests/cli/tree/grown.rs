//! A tree of odd but legal names, contents, times and modes.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::kit::content;

/// Names that are legal (`docs/protocol.md` §6), and that a shell, a terminal, a format string or a careless program would make something else of.
const ODD: [&str; 48] = [
    "with space",
    " leading",
    "trailing ",
    "  ",
    "한국어 파일.txt",
    "가",
    "👩\u{200d}👩\u{200d}👧\u{200d}👦.txt",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "colon:in:name",
    ":",
    "-rf",
    "--help",
    "-",
    "--",
    "$(id)",
    "`id`",
    "$HOME",
    "'single'",
    "\"double\"",
    "'",
    "%s%n",
    "%2e%2e",
    "%00",
    ".hidden",
    "..dots",
    "...",
    "trailing.",
    "a*b?c",
    "<>|",
    "CON",
    "nul.txt",
    "~",
    "~root",
    "#comment#",
    "semi;colon",
    "&amp;",
    "e\u{301} decomposed",
    "\u{e9} composed",
    "\u{feff}mark",
    "sampan",
    "x.sampan",
    "-sampan-",
    "[brackets]",
    "{a,b}",
    "!history",
    "a=b",
    "tcp:",
    "\u{1f469}\u{fe0f}",
];

/// 1,000 bytes with `tree/` before it, and nothing on the way that is longer than a name may be.
const LONGEST: usize = 1_000 - "tree/".len();

/// Grows a tree of so many files at `root`, which is made; the same seed grows the same tree.
#[track_caller]
pub(super) fn grow(root: &Path, seed: u64, files: usize) {
    println!("tree of {files} files, seed {seed}");
    let mut random = Random(seed.wrapping_mul(2) | 1);
    let mut folders = vec![root.to_owned()];
    fs::create_dir(root).expect("the tree's root can be made");
    for n in 0..files / 20 {
        let parent = random.pick(&folders).clone();
        let depth = parent.components().count() - root.components().count();
        let parent = if depth < 6 { parent } else { root.to_owned() };
        let folder = parent.join(random.name("dir", n));
        fs::create_dir(&folder).expect("an odd but legal name");
        // Every third one stays empty, unless a later folder is made in it.
        folders.push(folder);
    }
    let filled: Vec<_> =
        folders.iter().enumerate().filter(|(n, _)| n % 3 != 2).map(|(_, path)| path.clone()).collect();
    for n in 0..files - 3 {
        let path = random.pick(&filled).join(random.name("file", n));
        random.file(&path);
    }
    random.file(&root.join("x".repeat(255)));
    random.file(&root.join("가".repeat(85)));
    random.file(&deep(root));
    // From the leaves up, for what is made in a folder gives it another time.
    let mut all = folders;
    all.extend(deep(root).ancestors().skip(1).take_while(|path| *path != root).map(Path::to_owned));
    all.sort();
    all.dedup();
    for folder in all.iter().rev() {
        random.date(folder);
    }
}

/// A path below `root` that is as long as one may be here.
fn deep(root: &Path) -> PathBuf {
    let mut path = root.to_owned();
    let mut left = LONGEST;
    while left > 255 {
        let part = 199.min(left - 2);
        path.push("d".repeat(part));
        left -= part + 1;
    }
    path.join("f".repeat(left))
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % limit
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// A name that no other number has, in a folder.
    fn name(&mut self, what: &str, n: usize) -> String {
        match self.below(4) {
            // Before what is odd about it, and behind.
            0 => format!("{}{what}{n}", self.pick(&ODD)),
            1 => format!("{what}{n}{}", self.pick(&ODD)),
            2 if what == "file" && n < 4 * ODD.len() => {
                format!("{}{}", ODD[n % ODD.len()], " ".repeat(n / ODD.len()))
            }
            _ => format!("{what}-{n}.txt"),
        }
    }

    fn file(&mut self, path: &Path) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders can be made");
        let length = match self.below(500) {
            0..50 => 0,
            50..460 => 1 + self.below(2_000),
            460..498 => self.below(70_000),
            _ => self.below(1_000_000),
        };
        fs::write(path, content(self.below(1 << 40), length as usize)).expect("an odd but legal name");
        self.date(path);
        let mode = match self.below(8) {
            0 => 0o755,
            1 => 0o700,
            2 => 0o600,
            3 => 0o444,
            _ => 0o644,
        };
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("one's own file");
    }

    /// Another modification time: with nanoseconds, before 1970, far from now.
    fn date(&mut self, path: &Path) {
        let nanos = Duration::from_nanos(self.below(1_000_000_000));
        let modified = match self.below(10) {
            0 => SystemTime::UNIX_EPOCH,
            1 => SystemTime::UNIX_EPOCH - Duration::from_millis(1_500),
            2 => SystemTime::UNIX_EPOCH - Duration::from_secs(self.below(2_000_000_000)) - nanos,
            3 => SystemTime::UNIX_EPOCH + Duration::from_secs(7_258_118_400) + nanos,
            4 => SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000),
            _ => {
                SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + self.below(700_000_000)) + nanos
            }
        };
        let file = File::open(path).expect("one's own file");
        file.set_times(FileTimes::new().set_modified(modified)).expect("one's own file");
    }
}
