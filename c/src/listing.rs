//! Records of a listing (§12).

use sampan_core::wire::{self, UncheckedName, Writer};

use crate::action::{UNKNOWN, UNKNOWN_TIME};
use crate::bytes::{Bytes, Room, Text};

/// One record of a listing (§12).
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Entry {
    /// What a wish would ask for.
    pub name: Text,
    /// Bytes in all; SAMPAN_UNKNOWN if that is not known.
    pub size: u64,
    /// Nanoseconds since 1970; SAMPAN_UNKNOWN_TIME if that is not known.
    pub modified: i64,
    /// The file may be run.
    pub executable: bool,
    /// A directory.
    pub directory: bool,
}

/// Writes a record, and says how many bytes it has; 0 if there is not room enough.
/// The name is as long as it says, and there is as much room as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_write_entry(entry: &Entry, into: Room) -> usize {
    // SAFETY: the caller's promise.
    let (name, room) = unsafe { (entry.name.get(), into.get()) };
    let mut writer = Writer::new(room);
    let record = wire::Entry {
        size: Some(entry.size).filter(|size| *size != UNKNOWN),
        modified: Some(entry.modified).filter(|time| *time != UNKNOWN_TIME),
        executable: entry.executable,
        directory: entry.directory,
        name: UncheckedName::new(name),
    };
    record.emit(&mut writer);
    if writer.is_full() { 0 } else { writer.len() }
}

/// Reads the record that these bytes begin with, and says how many of them it takes; 0 if it is not right, or the rest of it is still to come. The name
/// lies in the bytes.
/// There are as many bytes as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sampan_read_entry(bytes: Bytes, entry: &mut Entry) -> usize {
    // SAFETY: the caller's promise.
    let Ok((record, length)) = wire::Entry::parse(unsafe { bytes.get() }) else { return 0 };
    *entry = Entry {
        name: record.name.as_bytes().into(),
        size: record.size.unwrap_or(UNKNOWN),
        modified: record.modified.unwrap_or(UNKNOWN_TIME),
        executable: record.executable,
        directory: record.directory,
    };
    length
}
