//! Mistakes in `[[power]]`, `[[environment]]` and `[[reset]]`, and what is said of them.

use fieldnotary_contract::{Contract, parse};
use fieldnotary_contract::{ContractErrors, Watched};

const BASE: &str = "[station]\norigin = \"example.org/s\"\n\
    [[card]]\nid = \"ina\"\nkind = \"hwmon\"\npath = \"/sys/class/hwmon/hwmon0\"\n\
    [[card]]\nid = \"dio\"\nkind = \"gpio\"\npath = \"/dev/gpiochip0\"\n\
    [[power]]\nid = \"vbat\"\ncard = \"ina\"\nchannel = \"in1_input\"\ndroop = \"11.5\"\nbrownout = \"10.5\"\nuvlo = \"9\"\n\
    [[environment]]\nid = \"air\"\ncard = \"ina\"\nchannel = \"temp1_input\"\ncold = \"-10\"\nhot = \"70\"\n\
    [[reset]]\nid = \"board\"\ncard = \"ina\"\nchannel = \"reason\"\nwatchdog = [\"32\"]\n";

/// What is said where a part of the file is written otherwise.
fn check(part: &str, instead: &str, says: &str) {
    assert!(BASE.contains(part), "{part}");
    let said = match parse(&BASE.replacen(part, instead, 1)) {
        Ok(_) => String::from("sound"),
        Err(errors) => ContractErrors::new("s.toml", &errors).to_string(),
    };
    assert!(said.contains(says), "{instead:?}: {says:?} in\n{said}");
}

//= R6.2
#[test]
fn a_mistake_in_what_is_watched_says_what_would_be_right() {
    for (part, instead, says) in [
        (
            "uvlo = \"9\"",
            "uvlo = \"10.6\"",
            "uvlo below 10.6 and brownout at 10.5 cross",
        ),
        (
            "hot = \"70\"",
            "hot = \"-11\"",
            "write a limit of cold that is not above",
        ),
        (
            "card = \"ina\"\nchannel = \"in1_input\"",
            "card = \"dio\"\nchannel = \"in1_input\"",
            "has no channels",
        ),
        (
            "id = \"air\"",
            "id = \"vbat\"",
            "another point of the station is called \"vbat\"",
        ),
        (
            "channel = \"reason\"",
            "channel = \"../reason\"",
            "is not the name of a channel",
        ),
        (
            "uvlo = \"9\"",
            "uvlo = \"9\"\nsample = \"1ms\"",
            "write 10ms to 1h",
        ),
        ("uvlo = \"9\"", "uvlo = \"9\"\nhysteresis = \"-1\"", "or 0"),
        (
            "uvlo = \"9\"",
            "uvlo = \"9\"\nscale = 0",
            "makes every value the same",
        ),
        ("uvlo = \"9\"", "ulvo = \"9\"", "did you mean `uvlo`?"),
        (
            "watchdog = [\"32\"]",
            "watchdog = \"32\"",
            "a list of texts",
        ),
        (
            "watchdog = [\"32\"]",
            "watchdog = [\"32\"]\nfault = [\"32\"]",
            "has two meanings",
        ),
    ] {
        check(part, instead, says);
    }
}

/// A contract without them has the bytes that it had before there were any.
//= R6.2
#[test]
fn what_is_watched_comes_back_from_the_canonical_form_and_is_left_out_where_there_is_none() {
    let contract = parse(BASE).expect("sound");
    let back = Contract::from_canonical(&contract.canonical()).expect("its own form");
    assert_eq!(back.points, contract.points);
    let supplies: Vec<&Watched> = contract.points.supplies.values().collect();
    assert_eq!(supplies[0].limits.len(), 3);
    let without = BASE.split_once("[[power]]").expect("it is there").0;
    let without = parse(without).expect("sound").canonical();
    assert!(without.len() < contract.canonical().len() - 100);
}
