//! A key that is revoked between the taking of a head and its cosignature.

use super::statuses::{announce, upload};
use super::world::{Keys, Log, ORIGIN, Server};
use crate::body::Format;
use crate::collector::{Mirror, MirrorStore as _};
use proof::note::VerifierKey;
use std::vec;
use std::vec::Vec;

/// The same server after a start at which other keys count.
fn restarted(server: Server, keys: Vec<VerifierKey>) -> Server {
    let Server {
        mirror,
        cosigner,
        standing,
    } = server;
    let mut store = mirror.into_store();
    store.restart();
    Server {
        mirror: Mirror::new(ORIGIN, keys, store),
        cosigner,
        standing,
    }
}

/// Nobody's keys, and those of a node that took the place of the first.
fn later() -> [Vec<VerifierKey>; 2] {
    [vec![], vec![Keys::new(6).authority()]]
}

//= R8.2
#[test]
fn a_head_that_was_taken_is_neither_finished_nor_cosigned_once_its_key_is_revoked() {
    for keys in later() {
        // What of its entries came before the key was revoked: nothing, some, all.
        for packages in 0..=2 {
            let mut log = Log::new(5);
            log.grow(300);
            let mut server = Server::new(vec![log.keys.authority()]);
            let taken = server.add_checkpoint(announce(&log, 0, 300).as_bytes());
            assert_eq!(taken.unwrap().status, 200);
            let body = upload(&log, 0, 300, packages.min(1));
            let _ = server.add_entries(Format::Standard, &body, 777);
            let mut server = restarted(server, keys.clone());
            for start in [0, 256] {
                let body = upload(&log, start, 300, if start == 0 { 2 } else { 1 });
                let reply = server.add_entries(Format::Standard, &body, 777).unwrap();
                assert_eq!(reply.status, 403, "{reply:?}");
                assert!(reply.body.contains("revoked since"), "{reply:?}");
            }
            let reply = server.add_checkpoint(announce(&log, 300, 300).as_bytes());
            assert_eq!(reply.unwrap().status, 403);
            assert!(server.mirror.store().mirrored().is_none());
        }
    }
}

//= R8.2
#[test]
fn a_head_that_was_moved_to_but_not_cosigned_stays_so_once_its_key_is_revoked() {
    let mut met = 0;
    for keys in later() {
        for effects in 0..16 {
            let mut log = Log::new(5);
            log.grow(300);
            let mut server = Server::new(vec![log.keys.authority()]);
            let taken = server.add_checkpoint(announce(&log, 0, 300).as_bytes());
            assert_eq!(taken.unwrap().status, 200);
            server.mirror.store_mut().crash_after(effects);
            let _ = server.add_entries(Format::Standard, &upload(&log, 0, 300, 2), 777);
            let mut server = restarted(server, keys.clone());
            let Some(mirrored) = server.mirror.store().mirrored() else {
                continue;
            };
            let cosigned = mirrored.cosignature.clone();
            let reply = server.mirror.cosignature(&server.cosigner).unwrap();
            match cosigned {
                // What was cosigned before is told as it was.
                Some(lines) => assert_eq!((reply.status, reply.body), (200, lines)),
                None => {
                    met += 1;
                    assert_eq!(reply.status, 403, "{reply:?}");
                    let mirrored = server.mirror.store().mirrored().unwrap();
                    assert!(mirrored.cosignature.is_none());
                }
            }
        }
    }
    assert!(met >= 2, "no crash fell between the two: {met}");
}
