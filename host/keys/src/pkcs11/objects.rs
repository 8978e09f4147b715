//! What a token holds: the log's key among others, and what is wrong where it is not one.

use super::{POINT_PREFIX, Pkcs11KeyFile, failed};
use crate::limits::TOKEN_KEYS_NAMED_MAX;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use trust_plane::{BackendError, KeyFault, p256_spki};

/// The one object of a class with the key's id.
pub(super) fn object(
    session: &Session,
    file: &Pkcs11KeyFile,
    class: ObjectClass,
) -> Result<ObjectHandle, BackendError> {
    let template = [Attribute::Class(class), Attribute::Id(file.key_id.clone())];
    let found = session
        .find_objects(&template)
        .map_err(failed("the token does not look for the key"))?;
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let all = session
                .find_objects(&[Attribute::Class(class)])
                .map_err(failed("the token does not look for its keys"))?;
            Err(none_of_id(session, file, class, &all))
        }
        several => Err(several_of_id(session, file, class, several)),
    }
}

/// What pkcs11-tool calls a class, and people.
fn class_words(class: ObjectClass) -> (&'static str, &'static str) {
    match class == ObjectClass::PRIVATE_KEY {
        true => ("privkey", "private key"),
        false => ("pubkey", "public key"),
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Objects by label, or by id and label; of many the first.
fn named(session: &Session, objects: &[ObjectHandle], with_id: bool) -> String {
    let name = |one: &ObjectHandle| {
        let kinds = [AttributeType::Id, AttributeType::Label];
        let (mut id, mut label) = (String::new(), String::new());
        // One that does not tell is named without.
        for attribute in session.get_attributes(*one, &kinds).unwrap_or_default() {
            match attribute {
                Attribute::Id(bytes) => id = hex(&bytes),
                Attribute::Label(bytes) => label = String::from_utf8_lossy(&bytes).into_owned(),
                _ => {}
            }
        }
        match with_id {
            true => format!("{id} {label:?}"),
            false => format!("{label:?}"),
        }
    };
    let mut all: Vec<String> = objects
        .iter()
        .take(TOKEN_KEYS_NAMED_MAX)
        .map(name)
        .collect();
    let more = objects.len().saturating_sub(TOKEN_KEYS_NAMED_MAX);
    if more > 0 {
        all.push(format!("{more} more"));
    }
    all.join(", ")
}

fn none_of_id(
    session: &Session,
    file: &Pkcs11KeyFile,
    class: ObjectClass,
    all: &[ObjectHandle],
) -> BackendError {
    let (_, kind) = class_words(class);
    let others = match all.is_empty() {
        true => "it has none".to_owned(),
        false => format!("it has {}", named(session, all, true)),
    };
    let words = format!(
        "the token {:?} has no {kind} of ID {} (`key_id` of identity/store.toml); {others}",
        file.token,
        hex(&file.key_id)
    );
    BackendError::new(KeyFault::KeyReplaced, words)
}

/// The token may hold the log's key, and somebody put another beside it: nothing is said of another store, and the log goes on once it is
/// gone.
fn several_of_id(
    session: &Session,
    file: &Pkcs11KeyFile,
    class: ObjectClass,
    several: &[ObjectHandle],
) -> BackendError {
    let (kind, name) = class_words(class);
    let (id, module) = (hex(&file.key_id), file.module.display());
    let words = format!(
        "the token {:?} has {} {name}s of the one ID {id} (`key_id` of identity/store.toml), with the labels {}: it cannot be told which \
         is the log's, and none signs. List them with `pkcs11-tool --module {module} --login --list-objects --type {kind}` and take away \
         the one that is not the log's, whose label is the log's origin: `pkcs11-tool --module {module} --login --delete-object --type \
         {kind} --id {id} --label LABEL`; see docs/keys.md",
        file.token,
        several.len(),
        named(session, several, false)
    );
    BackendError::new(KeyFault::Failed, words)
}

/// Keys that the token holds under this log's name besides the one that signs: they have its label, which is the origin. They signed before a
/// change of keys, or belong to another identity of that origin: the token does not tell.
pub(super) fn kept(session: &Session, own: &[u8], key: ObjectHandle) -> Result<u64, BackendError> {
    let unread = "the token does not tell of its keys";
    let label = session
        .get_attributes(key, &[AttributeType::Label])
        .map_err(failed(unread))?;
    let Some(label) = label.into_iter().next() else {
        return Ok(0);
    };
    let all = session
        .find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY), label])
        .map_err(failed(unread))?;
    let mut others = 0u64;
    for one in all {
        let id = session
            .get_attributes(one, &[AttributeType::Id])
            .map_err(failed(unread))?;
        let is_own = id.contains(&Attribute::Id(own.to_vec()));
        others = others.saturating_add(u64::from(!is_own));
    }
    Ok(others)
}

/// The public key as the log knows it.
pub(super) fn public(session: &Session, file: &Pkcs11KeyFile) -> Result<Vec<u8>, BackendError> {
    let object = object(session, file, ObjectClass::PUBLIC_KEY)?;
    let attributes = session
        .get_attributes(object, &[AttributeType::EcPoint])
        .map_err(failed("the public key cannot be read"))?;
    let point = attributes.iter().find_map(|attribute| match attribute {
        Attribute::EcPoint(point) => Some(point.strip_prefix(&POINT_PREFIX).unwrap_or(point)),
        _ => None,
    });
    point
        .and_then(|point| p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok())
        .map(|key| p256_spki(&key))
        .ok_or_else(|| BackendError::new(KeyFault::Failed, "the token's key is not on P-256"))
}

/// Whether the token says that the key was made in it, never left it and never will.
pub(super) fn is_kept(session: &Session, key: ObjectHandle) -> Result<bool, BackendError> {
    let due = [
        (AttributeType::Sensitive, Attribute::Sensitive(true)),
        (
            AttributeType::AlwaysSensitive,
            Attribute::AlwaysSensitive(true),
        ),
        (
            AttributeType::NeverExtractable,
            Attribute::NeverExtractable(true),
        ),
        (AttributeType::Extractable, Attribute::Extractable(false)),
        (AttributeType::Local, Attribute::Local(true)),
    ];
    let kinds: Vec<AttributeType> = due.iter().map(|(kind, _)| *kind).collect();
    let found = session
        .get_attributes(key, &kinds)
        .map_err(failed("the key's attributes cannot be read"))?;
    Ok(due.iter().all(|(_, attribute)| found.contains(attribute)))
}
