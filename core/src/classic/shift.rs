//! Makes room in a buffer.

use core::cell::Cell;
use core::ops::Range;

/// Moves a piece of the buffer to its start: byte by byte, for the two may overlap, and `copy_within` can panic.
pub(super) fn to_start(buffer: &mut [u8], piece: Range<usize>) {
    let cells = Cell::from_mut(buffer).as_slice_of_cells();
    for (to, from) in cells.iter().zip(cells.get(piece).unwrap_or_default()) {
        to.set(from.get());
    }
}
