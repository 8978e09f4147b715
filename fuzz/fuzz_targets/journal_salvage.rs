//! Salvage of whatever bytes stand in the place of a ring and its truth store: it never panics, writes
//! nothing, and gives or names every entry once.
#![no_main]

mod image;

use image::{GENERATION, Image, LOG, group, image_of, input};
use journal::image::{Identity, Payload, frame, frames, identify, segment, slots, tables};
use journal::{Journal, ReadVolume, Salvage, Salvaged};
use libfuzzer_sys::fuzz_target;

/// Every part is looked at, sound or not.
fn look(image: &&Image, identity: Identity) {
    for number in 0..image.shape().segments {
        let _ = segment(image, identity, number).identity();
        for look in frames(image, identity, number) {
            let (again, entries) = frame(image, identity, number, look.offset);
            assert_eq!(again, look);
            let whole = look
                .payload
                .is_some_and(|payload| payload != Payload::Damaged);
            assert_eq!(whole, !entries.is_empty());
        }
    }
    assert_eq!(slots(image, identity).len(), 4);
    assert_eq!(tables(image, identity).len(), 2);
}

fn salvage(image: &&Image, wanted: Option<Identity>) {
    let Ok(salvage) = Salvage::open(image, image, wanted) else {
        return;
    };
    let mut next = salvage.reader().oldest().0;
    for item in salvage.items() {
        match item {
            Salvaged::Entry { entry, beyond } => {
                assert_eq!(entry.commit_id.0, next);
                assert_eq!(beyond, next >= salvage.committed_size());
                next += 1;
            }
            Salvaged::Missing(loss) => {
                assert_eq!(loss.first.0, next);
                next = loss.end();
            }
        }
    }
    assert_eq!(next, salvage.reader().size());
    assert!(salvage.further_end().is_none_or(|end| end == next));
    let _ = salvage.reader().scrub();
    let _ = salvage.root_holds();
    look(image, salvage.identity());
}

fuzz_target!(|data: &[u8]| {
    let Some(image) = image_of(data) else {
        return;
    };
    let before = image.0.borrow().clone();
    let own = Identity {
        log_id: LOG,
        generation: GENERATION,
    };
    for wanted in [None, Some(own)] {
        salvage(&&image, wanted);
    }
    if let Some(identity) = identify(&&image, &&image) {
        look(&&image, identity);
    }
    assert!(before == *image.0.borrow());
    // Also what a recovery makes of it.
    if let Ok((mut journal, _)) = Journal::open(&image, &image, &input()) {
        let _ = journal.commit(&group(3), evidence::SaltKey([9; 16]));
        salvage(&&image, None);
    }
});
