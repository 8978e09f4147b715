//! A key in a real token, which is a program: what it refuses. SoftHSM2 is told by a variable where its tokens
//! are, so the test starts itself with that.

use super::{Open, Pkcs11KeyFile, Pkcs11Keys, load, object};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use std::process::Command;
use trial_stores::{SOFTHSM_MODULE, SoftHsm};
use trust_plane::Custody;

const PIN_FILE: &str = "FIELDNOTARY_TEST_PIN_FILE";

//= A6.1
#[test]
fn a_key_in_a_token_is_neither_read_nor_wrapped_nor_made_readable() {
    let Some(pin_file) = std::env::var_os(PIN_FILE) else {
        let hsm = SoftHsm::new("station");
        let own = std::env::current_exe().unwrap();
        let this = std::thread::current().name().unwrap().to_owned();
        let tried = Command::new(own)
            .args(["--exact", &this, "--nocapture"])
            .env("SOFTHSM2_CONF", hsm.configuration())
            .env(PIN_FILE, hsm.pin_file())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&tried.stdout);
        assert!(
            tried.status.success() && said.contains("1 passed"),
            "{tried:?}"
        );
        return;
    };
    let file = Pkcs11KeyFile {
        module: SOFTHSM_MODULE.into(),
        token: "station".into(),
        key_id: vec![1, 2, 3],
        pin_file: pin_file.into(),
        allow: Vec::new(),
    };
    let authority = Pkcs11Keys::create(&file, "meters.example/site").unwrap();
    let module = load(&file).unwrap();
    let (open, again) = Open::new(&module, &file).unwrap();
    assert_eq!(again, authority);
    let found = open.description.capabilities;
    assert_eq!(found.custody, Custody::Pkcs11Emulated);
    assert!(found.non_exportable && !found.monotonic_counter);
    // Its private value is not given.
    let value = open
        .session
        .get_attributes(open.key, &[AttributeType::Value]);
    assert!(value.is_err() || value.unwrap().is_empty());
    // Another key of the token does not wrap it.
    let (slot, _, _) = super::find(&module, "station").unwrap();
    let session = module.open_rw_session(slot).unwrap();
    let wrapping = session
        .generate_key(
            &Mechanism::AesKeyGen,
            &[
                Attribute::ValueLen(32.into()),
                Attribute::Wrap(true),
                Attribute::Encrypt(true),
                Attribute::Token(false),
            ],
        )
        .unwrap();
    // It does wrap one that may leave, in the same way.
    let (_, may_leave) = session
        .generate_key_pair(
            &Mechanism::EccKeyPairGen,
            &[Attribute::EcParams(super::P256.to_vec())],
            &[
                Attribute::Extractable(true),
                Attribute::Sensitive(false),
                Attribute::Token(false),
            ],
        )
        .unwrap();
    let wrapped = session.wrap_key(&Mechanism::AesKeyWrapPad, wrapping, may_leave);
    assert!(!wrapped.unwrap().is_empty());
    let refused = session.wrap_key(&Mechanism::AesKeyWrapPad, wrapping, open.key);
    let Err(Error::Pkcs11(RvError::KeyUnextractable | RvError::KeyNotWrappable, _)) = refused
    else {
        panic!("{refused:?}");
    };
    // Nor can it be made a key that may leave.
    for attribute in [Attribute::Extractable(true), Attribute::Sensitive(false)] {
        let changed = session.update_attributes(open.key, std::slice::from_ref(&attribute));
        assert!(changed.is_err(), "{attribute:?}");
        let copied = session.copy_object(open.key, &[attribute]);
        assert!(copied.is_err(), "{copied:?}");
    }
    let key = object(&open.session, &file, ObjectClass::PRIVATE_KEY).unwrap();
    assert!(super::is_kept(&open.session, key).unwrap());
}
