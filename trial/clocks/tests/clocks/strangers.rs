//! Who may speak for a clock: root, ourselves, and whom we name.

use clocks::{Chronyd, Probe as _};
use fieldnotary_trial_clocks::Rig;
use rustix::process::{Gid, Uid};
use std::os::unix::net::UnixDatagram;
use std::thread::JoinHandle;
use std::time::Duration;
use time_plane::reading::Fault;

/// Nobody, and a user that runs no daemon.
const NOBODY: u32 = 65_534;
const NAMED: u32 = 64_123;

/// A thread that answers everything with a byte, as this user.
fn serve(socket: UnixDatagram, uid: u32) -> JoinHandle<u32> {
    socket
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    std::thread::spawn(move || {
        let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
        // This thread alone: the other ones stay root.
        rustix::thread::set_thread_res_gid(group, group, group).unwrap();
        rustix::thread::set_thread_res_uid(user, user, user).unwrap();
        let mut buffer = [0; 200];
        let mut answers = 0;
        while let Ok((_, from)) = socket.recv_from(&mut buffer) {
            let to = from.as_pathname().unwrap();
            socket.send_to(&[0], to).unwrap();
            answers += 1;
        }
        answers
    })
}

#[test]
fn an_answer_of_somebody_else_is_denied_whatever_it_says() {
    let rig = Rig::new().unwrap();
    for (uid, expected) in [
        (NOBODY, Fault::Stranger),
        (NAMED, Fault::Malformed("a reply shorter than its header")),
        (0, Fault::Malformed("a reply shorter than its header")),
    ] {
        let path = rig.path(&format!("{uid}.sock"));
        let server = UnixDatagram::bind(&path).unwrap();
        let mut daemon = rig.daemon(&path).unwrap();
        daemon.trusted_uids = vec![NAMED];
        let mut probe = Chronyd::new(&daemon).unwrap();
        let server = serve(server, uid);
        assert_eq!(probe.look(clocks::mono()).outcome, Err(expected), "{uid}");
        assert_eq!(server.join().unwrap(), 1, "{uid}");
    }
}
