//! Texts that are kept in the repository, so that a change of behaviour shows as a diff.

use std::path::Path;

/// Compares `text` with `tests/snapshots/NAME`. With `UPDATE_SNAPSHOTS=1` in the environment it is written instead.
///
/// # Panics
///
/// If they differ.
pub fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("snapshots/ can be made");
        std::fs::write(&path, text).expect("the snapshot can be written");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = kept.lines().zip(text.lines()).find(|(kept, text)| kept != text);
    assert!(
        kept == text,
        "{name} has changed; first difference: {differing:?}. If it is meant, run again with UPDATE_SNAPSHOTS=1\n{text}"
    );
}
