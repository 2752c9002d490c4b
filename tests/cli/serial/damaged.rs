//! What goes over a line that turns bits.

use super::cable::Cable;
use crate::kit::{Place, Sampan, Server, content};

fn file_arrives(seed: u64) {
    let (place, cable) = (Place::new(), Cable::new().flips(1e-3, seed));
    let _server = Server::listening(&place.root(), &[&cable.url(0)], &[]);
    let data = content(seed, 64 << 10);
    let file = place.write("file", &data);
    let sent = Sampan::send(&cable.url(1), &[file.to_str().unwrap()]).run();
    assert_eq!(sent.code, Some(0), "seed {seed}: {}", sent.stderr);
    assert!(place.stored("file").unwrap() == data, "seed {seed}");
}

#[test]
fn a_file_is_right_though_one_byte_in_a_thousand_is_not() {
    (1..=3).for_each(file_arrives);
}

#[test]
#[ignore = "job crowd"]
fn twenty_files_are_right_though_one_byte_in_a_thousand_is_not() {
    (4..24).for_each(file_arrives);
}
