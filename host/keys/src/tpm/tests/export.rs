//! The key does not leave its TPM, and it is its attributes that hold it: the same command gives away a key without them.

use super::{Open, Rig};
use crate::tpm::link::{Asked, Link};
use sha2::{Digest as _, Sha256};
use tpm::{Command, KeyPublic, TpmError, response};

const NULL: u32 = 0x4000_0007;
/// `TPM_CC_Duplicate` and `TPM_CC_PolicyCommandCode`.
const DUPLICATE: u32 = 0x14b;
const POLICY_COMMAND_CODE: u32 = 0x16c;
/// Attributes of a key: made for this TPM, made for this parent, made in the TPM.
const FIXED_TPM: u32 = 1 << 1;
const FIXED_PARENT: u32 = 1 << 4;
const SENSITIVE_DATA_ORIGIN: u32 = 1 << 5;
/// `TPM_RC_AUTH_TYPE`, `TPM_RC_POLICY_FAIL`, `TPM_RC_ATTRIBUTES`.
const AUTH_TYPE: u32 = 0x124;
const POLICY_FAIL: u32 = 0x09d;
const ATTRIBUTES: u32 = 0x082;

fn attributes(public: &[u8]) -> u32 {
    u32::from_be_bytes(public[4..8].try_into().unwrap())
}

/// A key like the authority, without these attributes, which may be duplicated by a policy that says so.
fn with_policy(link: &mut Link, without: u32) -> u32 {
    let template = KeyPublic::authority_template(&[9; 32]);
    let attributes = attributes(&template) & !without;
    let mut policy = Sha256::new();
    policy.update([0; 32]);
    policy.update(POLICY_COMMAND_CODE.to_be_bytes());
    policy.update(DUPLICATE.to_be_bytes());
    let template = [
        &template[..4],
        &attributes.to_be_bytes(),
        &[0, 32],
        &policy.finalize(),
        &template[10..],
    ]
    .concat();
    let made = link.ask(&Command::create_primary(&template)).unwrap();
    response::handle(&made).unwrap()
}

/// Asks for the private part in the clear, authorised by a policy for that command, or by the empty password.
pub(super) fn duplicate(link: &mut Link, key: u32, by_policy: bool) -> Result<(), u32> {
    // No encryption key in, no symmetric algorithm.
    let clear = [0, 0, 0, 0x10];
    let command = match by_policy {
        true => {
            let session = link.ask(&Command::policy_session()).unwrap();
            let session = response::handle(&session).unwrap();
            let code = DUPLICATE.to_be_bytes();
            let policy = Command::with(
                "TPM2_PolicyCommandCode",
                POLICY_COMMAND_CODE,
                &[session],
                0,
                &code,
            );
            link.ask(&policy).unwrap();
            Command::with_sessions(
                "TPM2_Duplicate",
                DUPLICATE,
                &[key, NULL],
                &[session],
                &clear,
            )
        }
        false => Command::with("TPM2_Duplicate", DUPLICATE, &[key, NULL], 1, &clear),
    };
    match link.ask(&command) {
        Ok(_) => Ok(()),
        Err(Asked::Tpm(TpmError::Code { code, .. })) => Err(code.base()),
        Err(other) => panic!("{other:?}"),
    }
}

//= A6.1
#[test]
fn it_is_its_attributes_that_hold_the_key_in_its_tpm() {
    let rig = Rig::new();
    let (mut open, _) = Open::new(&rig.file)
        .map_err(trust_plane::BackendError::from)
        .unwrap();
    let public = open.description.key_public.clone().unwrap();
    let held = FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN;
    assert_eq!(attributes(&public) & held, held);
    let link = &mut open.link;
    // The same key with a policy that allows it: it goes without the attributes, and with them for nothing.
    for (without, outcome) in [(FIXED_TPM | FIXED_PARENT, Ok(())), (0, Err(ATTRIBUTES))] {
        let key = with_policy(link, without);
        assert_eq!(duplicate(link, key, true), outcome, "{without:#x}");
        link.ask(&Command::flush(key)).unwrap();
    }
    // The authority has no such policy either: neither that nor its password is asked for it.
    assert_eq!(duplicate(link, open.key, true), Err(POLICY_FAIL));
    assert_eq!(duplicate(link, open.key, false), Err(AUTH_TYPE));
}
