//! A counter that was away for a head, as the signer says it of itself.

use crate::common::{G1, LONG, head, keys};
use crate::stores::in_tpm;
use evidence::reasons::CounterKind;
use ipc::message::{Describe, LackedCounter, Message};
use trial_stores::{Relay, Swtpm};

/// The plain counter of a TPM that has no other log.
const PLAIN: &str = "0x01800101";

/// Whoever is told by no signature that a counter was away hears it with the next description, also when there is one under its name
/// again; and it is part of what is signed there.
//= A6.3
//= A6.4
#[test]
fn a_counter_that_was_away_for_a_head_is_said_with_the_next_description() {
    let tpm = Swtpm::new();
    // Somebody else can ask the TPM meanwhile.
    let relay = Relay::to(&tpm.socket());
    let site = in_tpm(&relay.socket());
    let _signer = site.start();
    let channel = site.connect();
    let tool = |tool: &str, arguments: &[&str]| {
        let said = tpm.tool(tool, arguments);
        assert!(said.status.success(), "{said:?}");
    };
    let sign = |size| channel.ask(&head(G1, size, 3), LONG).unwrap();
    sign(7);
    assert_eq!(keys(&channel, None).lacked, []);
    tool("tpm2_nvundefine", &["-C", "o", PLAIN]);
    // Nothing was to be bound to it yet.
    assert_eq!(keys(&channel, None).lacked, []);
    sign(8);
    let once = keys(&channel, None).lacked;
    let [LackedCounter { counter, at }] = once.as_slice() else {
        panic!("{once:?}");
    };
    assert_eq!(*counter, CounterKind::Plain);
    sign(9);
    let attributes = "nt=counter|authwrite|authread|no_da";
    let define = ["-C", "o", "-s", "8", "-a", attributes, PLAIN];
    tool("tpm2_nvdefine", &define);
    tool("tpm2_nvincrement", &["-C", PLAIN, PLAIN]);
    let again = keys(&channel, None);
    assert_eq!(again.counters.len(), 2, "it is there again");
    assert!(again.lacked[0].at > *at, "{:?}", again.lacked);
    sign(10);
    let whole = keys(&channel, None);
    assert_eq!(whole.lacked, again.lacked);
    let asked = evidence::Digest([5; 32]);
    let silent = ipc::message::Keys {
        lacked: Vec::new(),
        ..whole.clone()
    };
    assert_ne!(whole.signed_bytes(&asked), silent.signed_bytes(&asked));
    let request = Describe {
        origin: None,
        nonce: Some(asked),
    };
    let Message::Keys(said) = channel.ask(&request.into(), LONG).unwrap() else {
        panic!("a description");
    };
    assert!(said.note.is_some());
    assert_eq!(said.lacked, again.lacked);
}
