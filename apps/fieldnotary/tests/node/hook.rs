//! The hook of the storms is in no program that did not ask for it.

/// What only a program with the hook holds: the name of its variable.
const MARK: &[u8] = b"FIELDNOTARY_STEPS_BOARD";

//= R2.1
#[test]
fn a_default_build_has_no_hook() {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_fieldnotary"));
    let mut looked_at = 0;
    for name in [
        "fieldnotary",
        "fieldnotary-signer",
        "fieldnotary-collector",
        "fieldnotary-street",
    ] {
        // The others are beside it when they were built.
        let Ok(bytes) = std::fs::read(program.with_file_name(name)) else {
            continue;
        };
        looked_at += 1;
        let hooked = bytes.windows(MARK.len()).any(|part| part == MARK);
        assert!(!hooked, "{name} can be ended at named steps");
    }
    assert!(looked_at > 0);
    // The search finds it where it is: in this very test.
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert!(own.windows(MARK.len()).any(|part| part == MARK));
}
