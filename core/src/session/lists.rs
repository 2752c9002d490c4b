//! Changes of lists in lent memory that cannot panic, as those of `heapless` can.

use core::mem::swap;

use heapless::VecView;

/// Puts `item` before the one at `index`; whether there was room. Beyond the end it is put at the end.
pub(super) fn insert<T>(list: &mut VecView<T>, index: usize, item: T) -> bool {
    if list.is_full() {
        return false;
    }
    let mut carried = item;
    for place in list.iter_mut().skip(index) {
        swap(place, &mut carried);
    }
    list.push(carried).is_ok()
}

/// Takes the one at `index` out, if there is one.
pub(super) fn remove<T>(list: &mut VecView<T>, index: usize) -> Option<T> {
    if index >= list.len() {
        return None;
    }
    let mut carried = list.pop()?;
    for place in list.iter_mut().skip(index).rev() {
        swap(place, &mut carried);
    }
    Some(carried)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heapless::Vec;

    #[test]
    fn items_are_put_in_and_taken_out_anywhere() {
        let mut list: Vec<u8, 4> = Vec::new();
        for (index, item) in [(0, 3), (0, 1), (1, 2), (9, 4)] {
            assert!(insert(&mut list, index, item));
        }
        assert_eq!(list, [1, 2, 3, 4]);
        assert!(!insert(&mut list, 0, 5));
        assert_eq!(
            (remove(&mut list, 4), remove(&mut list, 1), remove(&mut list, 2)),
            (None, Some(2), Some(4))
        );
        assert_eq!(list, [1, 3]);
    }
}
