//! What a registrar is told of a request.

use super::{Desk, Node, ORIGIN};
use crate::enrolment::challenge::own_word;
use crate::enrolment::{Asked, challenge};
use certificates::papers::Paper;

/// Whoever carries the file has no other tool than these.
//= R8.2
#[test]
fn the_hash_of_a_request_is_that_of_its_file() {
    let desk = Desk::new();
    let request = Node::new(ORIGIN, 1).request();
    let asked = Asked {
        request: desk.put("request", Paper::Request(request)),
        roots: Vec::new(),
        revoked: Vec::new(),
        self_asserted: true,
    };
    let said = challenge(&desk.dir(), &asked, &desk.file("challenge")).unwrap();
    let mut openssl = std::process::Command::new("openssl");
    openssl
        .args(["dgst", "-sha256", "-r"])
        .arg(desk.file("request"));
    let openssl = String::from_utf8(openssl.output().unwrap().stdout).unwrap();
    let sum = openssl.split(' ').next().unwrap();
    assert!(
        sum.len() == 64 && said.ends_with(&format!("SHA-256 of the request: {sum}")),
        "{said}\n{openssl}"
    );
}

//= R8.2
#[test]
fn a_tpm_that_is_a_program_is_told_as_that() {
    let mut request = Node::new(ORIGIN, 1).request();
    request.maker = "SW TPM".into();
    for (custody, is_program) in [("tpm-emulated", true), ("tpm", false)] {
        request.custody = custody.into();
        let said = own_word(&request);
        assert!(said.contains("by the node's own word"), "{said}");
        assert!(said.contains(&format!("in {custody}")), "{said}");
        assert_eq!(said.contains("a program and no chip"), is_program, "{said}");
    }
}
