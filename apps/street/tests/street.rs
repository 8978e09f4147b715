//! The street as a program: what its log says against what came over the wires.

mod bench;

#[cfg(test)]
mod tests {
    use crate::bench::{Bench, Field, Heard, Tcp};
    use modbus::pdu::{ExceptionCode, Request, Response, Span};
    use modbus::rtu::FrameError;
    use modbus::transaction::Reply;
    use rustix::process::Signal;
    use std::time::Duration;

    const SHORT: Duration = Duration::from_millis(150);
    const LONG: Duration = Duration::from_secs(5);

    fn read(first: u16, count: u16) -> Request {
        Request::ReadHoldingRegisters(Span::new(first, count).unwrap())
    }

    fn values(reply: &Reply) -> Vec<u64> {
        match reply {
            Reply::Answer(response) => response
                .registers()
                .unwrap()
                .values()
                .map(u64::from)
                .collect(),
            other => panic!("{other:?} is no answer"),
        }
    }

    fn energy(values: &[u64]) -> u64 {
        values[0] << 16 | values[1]
    }

    /// A street of two meters on one line, both with the fault; only the first is asked.
    fn faulty(fault: &str) -> Bench {
        let plan = format!("[[fault]]\nmeter = \"m01\"\n{fault}");
        Bench::start(&["--rtu-port", "bus", "--meters", "2"], Some(&plan))
    }

    //= A1.1
    //= A3.7
    #[test]
    fn the_log_says_what_the_wires_carried() {
        let args = [
            "--rtu-port",
            "a",
            "--rtu-port",
            "b",
            "--tcp",
            "127.0.0.1:0",
            "--meters",
            "6",
        ];
        let bench = Bench::start(&args, None);
        let mut heard: Vec<(String, Vec<u64>)> = Vec::new();
        let mut tcp = bench.tcp();
        for _ in 0..10 {
            for meter in bench.manifest().list("meters") {
                let (port, unit) = (meter.text("port"), meter.byte("unit"));
                let reply = if port == "tcp" {
                    tcp.ask(unit, &read(0, 9), LONG).expect("the meter answers")
                } else {
                    bench.line(&port).ask(unit, &read(0, 9), LONG)
                };
                heard.push((meter.text("name"), values(&reply)));
            }
        }
        let log = bench.stop();
        let replies: Vec<_> = log
            .iter()
            .filter(|line| line.text("event") == "reply")
            .collect();
        assert_eq!(replies.len(), 60);
        for (number, (line, (meter, values))) in (1..).zip(replies.iter().zip(&heard)) {
            assert_eq!(
                (line.number("reply_no"), line.number("request_no")),
                (number, number)
            );
            assert_eq!(
                (&line.text("meter"), &line.numbers("values")),
                (meter, values)
            );
            assert_eq!(
                (line.number("first_register"), line.number("count")),
                (0, 9)
            );
            assert!(line.lacks("fault") && line.lacks("reason"));
            assert_eq!(line.lacks("tid"), line.text("port") != "tcp");
        }
        for meter in 1..=6 {
            let name = format!("m{meter:02}");
            let own: Vec<_> = heard.iter().filter(|(found, _)| *found == name).collect();
            for (number, pair) in (1..).zip(own.windows(2)) {
                assert!(
                    energy(&pair[1].1) > energy(&pair[0].1),
                    "energy of {name} stands still"
                );
                assert_eq!(
                    pair[0].1[6..8],
                    pair[1].1[6..8],
                    "{name} changed its serial number"
                );
                assert_eq!(pair[0].1[8], number);
            }
        }
        let times: Vec<u64> = log.iter().map(|line| line.number("mono_ns")).collect();
        assert!(times.is_sorted());
    }

    //= A1.1
    #[test]
    fn the_same_seed_gives_the_same_meters() {
        let serials = |seed| {
            let bench = Bench::start(&["--seed", seed, "--meters", "3"], None);
            let line = bench.line("rtu0");
            let units = 1..=3;
            units
                .map(|unit| values(&line.ask(unit, &read(6, 2), LONG)))
                .collect::<Vec<_>>()
        };
        let first = serials("7");
        assert_eq!(first, serials("7"));
        assert_ne!(first, serials("8"));
    }

    //= A3.7
    #[test]
    fn a_silent_meter_is_silent_alone_and_for_its_time() {
        let bench = faulty("kind = \"silent\"\nfor_s = 1.5");
        let line = bench.line("bus");
        assert_eq!(line.listen(1, &read(0, 2), SHORT), Heard::Nothing);
        values(&line.ask(2, &read(0, 2), LONG));
        // A unit that is not there stays as silent, on its own account.
        assert_eq!(line.listen(9, &read(0, 2), SHORT), Heard::Nothing);
        std::thread::sleep(Duration::from_millis(1_500));
        values(&line.ask(1, &read(0, 2), LONG));
        let log = bench.stop();
        let outcomes: Vec<_> = log
            .iter()
            .filter(|line| line.text("event") != "request")
            .map(|line| {
                (
                    line.text("event"),
                    line.number("request_no"),
                    line.shown("fault"),
                )
            })
            .collect();
        let expected = [
            ("no-reply", 1, "\"silent\""),
            ("reply", 2, "null"),
            ("no-reply", 3, "null"),
            ("reply", 4, "null"),
        ];
        assert_eq!(
            outcomes,
            expected.map(|(e, n, f)| (e.to_owned(), n, f.to_owned()))
        );
    }

    //= A3.7
    #[test]
    fn a_late_meter_holds_up_nobody_and_keeps_its_order() {
        let bench = faulty("kind = \"late\"\ndelay_ms = 400\nfor_s = 3600");
        let line = bench.line("bus");
        line.say(1, &read(0, 2));
        line.say(1, &read(4, 2));
        let prompt = values(&line.ask(2, &read(0, 2), LONG));
        let late = values(&line.hear(1, &read(0, 2), LONG));
        let later = values(&line.hear(1, &read(4, 2), LONG));
        let log = bench.stop();
        let replies: Vec<_> = log
            .iter()
            .filter(|line| line.text("event") == "reply")
            .collect();
        let order: Vec<_> = replies
            .iter()
            .map(|line| line.number("request_no"))
            .collect();
        assert_eq!(order, [3, 1, 2]);
        for (line, heard) in replies.iter().zip([prompt, late, later]) {
            assert_eq!(line.numbers("values"), heard);
        }
        let asked = log
            .iter()
            .find(|line| line.number("request_no") == 1)
            .unwrap();
        let lateness_ns = replies[1].number("mono_ns") - asked.number("mono_ns");
        assert!(
            (400_000_000..3_000_000_000).contains(&lateness_ns),
            "{lateness_ns} ns late"
        );
        assert_eq!(replies[1].text("fault"), "late");
    }

    //= A3.1
    #[test]
    fn what_a_line_says_by_itself_is_on_the_wire_and_in_the_log() {
        let plan =
            "[[fault]]\nport = \"bus\"\nkind = \"bias-chatter\"\nper_s = 20\nprobability = 0.7";
        let bench = Bench::start(&["--rtu-port", "bus", "--meters", "2"], Some(plan));
        let line = bench.line("bus");
        let heard: Vec<String> = (0..20)
            .filter_map(|_| match line.listen(1, &read(0, 2), SHORT) {
                Heard::Frame(bytes) => {
                    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
                }
                Heard::Nothing => None,
            })
            .collect();
        let log = bench.stop();
        let carried = log
            .iter()
            .filter(|line| ["disturbance", "reply"].contains(&line.text("event").as_str()));
        let said: String = carried.map(|line| line.text("bytes")).collect();
        let mut rest = said.as_str();
        for frame in &heard {
            let at = rest.find(frame.as_str());
            rest = &rest[at.expect("what was heard is in the log, in order")..][frame.len()..];
        }
        let of = |event: &str| {
            log.iter()
                .filter(|line| line.text("event") == event)
                .count()
        };
        assert!(of("disturbance") > 3 && of("reply") > 3, "{said}");
    }

    //= A4.1
    #[test]
    fn a_corrupted_reply_fails_its_crc_and_the_log_knows_what_was_meant() {
        let bench = faulty("kind = \"corrupt-crc\"");
        let reply = bench.line("bus").ask(1, &read(6, 2), LONG);
        assert!(matches!(reply, Reply::BadCrc(_)), "{reply:?}");
        let good = values(&bench.line("bus").ask(2, &read(6, 2), LONG));
        let log = bench.stop();
        let meant: Vec<_> = log
            .iter()
            .filter(|line| line.text("event") == "reply")
            .collect();
        assert_eq!(meant[0].text("fault"), "corrupt-crc");
        assert_eq!(meant[0].numbers("values").len(), 2);
        assert_ne!(meant[0].text("bytes"), meant[1].text("bytes"));
        assert_eq!(meant[1].numbers("values"), good);
    }

    //= A3.1
    //= A3.7
    #[test]
    fn wrong_unit_truncate_and_exception_are_what_they_say() {
        let bench = faulty(
            "kind = \"wrong-unit\"\nfor_s = 3600\n[[fault]]\nmeter = \"m02\"\nkind = \"truncate\"",
        );
        let foreign = FrameError::UnitMismatch {
            expected: 1,
            found: 2,
        };
        assert_eq!(
            bench.line("bus").ask(1, &read(0, 2), LONG),
            Reply::Foreign(foreign)
        );
        let short = FrameError::Truncated {
            expected: 9,
            found: 6,
        };
        assert_eq!(
            bench.line("bus").ask(2, &read(0, 2), LONG),
            Reply::Truncated(short)
        );
        let faults: Vec<_> = bench
            .stop()
            .iter()
            .map(|line| line.shown("fault"))
            .collect();
        assert_eq!(faults, ["null", "\"wrong-unit\"", "null", "\"truncate\""]);

        let bench = faulty("kind = \"exception\"\ncode = 6");
        let busy = Reply::Exception(ExceptionCode::ServerDeviceBusy);
        assert_eq!(bench.line("bus").ask(1, &read(0, 2), LONG), busy);
        // The other meter refuses on its own account only what it does not have.
        let refused = Reply::Exception(ExceptionCode::IllegalDataAddress);
        assert_eq!(bench.line("bus").ask(2, &read(10, 2), LONG), refused);
        let log = bench.stop();
        assert_eq!(
            (log[1].number("exception"), log[1].text("fault")),
            (6, "exception".to_owned())
        );
        assert_eq!(
            (log[3].number("exception"), log[3].lacks("fault")),
            (2, true)
        );
    }

    //= A1.3
    #[test]
    fn a_doubled_reply_comes_twice_and_is_logged_twice() {
        let bench = faulty("kind = \"double\"");
        let line = bench.line("bus");
        let first = line.ask(1, &read(0, 9), LONG);
        assert_eq!(line.hear(1, &read(0, 9), LONG), first);
        let log = bench.stop();
        let replies: Vec<_> = log
            .iter()
            .filter(|line| line.text("event") == "reply")
            .map(|line| {
                (
                    line.number("request_no"),
                    line.number("reply_no"),
                    line.text("bytes"),
                )
            })
            .collect();
        assert_eq!(replies.len(), 2);
        assert_eq!(
            (replies[0].0, replies[0].1, replies[1].0, replies[1].1),
            (1, 1, 1, 2)
        );
        assert_eq!(replies[0].2, replies[1].2);
    }

    //= A3.1
    #[test]
    fn a_flaky_meter_answers_now_and_then_by_the_seed() {
        let run = || {
            let bench = faulty("kind = \"flaky\"\nprobability = 0.5");
            let line = bench.line("bus");
            for _ in 0..20 {
                line.say(1, &read(0, 2));
            }
            bench.await_lines(40);
            let log = bench.stop();
            let outcomes = log.iter().filter(|line| line.text("event") != "request");
            let outcomes = outcomes.map(|line| (line.number("request_no"), line.is_reply()));
            outcomes.collect::<std::collections::BTreeMap<_, _>>()
        };
        let outcomes = run();
        assert_eq!(outcomes.len(), 20);
        let answered = outcomes.values().filter(|answered| **answered).count();
        assert!((1..20).contains(&answered), "{answered} of 20 answered");
        assert_eq!(outcomes, run());
    }

    //= A3.1
    #[test]
    fn over_tcp_a_meter_disconnects_and_another_is_late() {
        let plan = "[[fault]]\nmeter = \"m01\"\nkind = \"disconnect\"\n\
                    [[fault]]\nmeter = \"m02\"\nkind = \"late\"\ndelay_ms = 300";
        let bench = Bench::start(&["--tcp", "127.0.0.1:0", "--meters", "3"], Some(plan));
        let mut tcp = bench.tcp();
        let late = tcp.say(2, &read(0, 2));
        let prompt = tcp.say(3, &read(0, 2));
        let frames = [tcp.hear(LONG).unwrap(), tcp.hear(LONG).unwrap()];
        assert_eq!(
            frames.each_ref().map(|frame| frame.transaction),
            [prompt, late]
        );
        let response = Response::decode(&frames[1].pdu).unwrap();
        tcp.say(2, &read(0, 2));
        tcp.say(1, &read(0, 2));
        assert_eq!(tcp.hear(LONG), None, "the connection is closed");
        let again: &mut Tcp = &mut bench.tcp();
        values(&again.ask(3, &read(0, 2), LONG).unwrap());
        let log = bench.stop();
        let line = log
            .iter()
            .find(|line| line.number("request_no") == 1 && line.is_reply());
        let sent: Vec<u64> = response
            .registers()
            .unwrap()
            .values()
            .map(u64::from)
            .collect();
        assert_eq!(line.unwrap().numbers("values"), sent);
        let lost: Vec<_> = log
            .iter()
            .filter(|line| line.text("event") == "no-reply")
            .map(|line| {
                (
                    line.number("request_no"),
                    line.text("fault"),
                    line.text("reason"),
                )
            })
            .collect();
        let expected = [
            (4, "disconnect", "ordered"),
            (3, "late", "connection closed"),
        ];
        assert_eq!(
            lost,
            expected.map(|(n, f, r)| (n, f.to_owned(), r.to_owned()))
        );
    }

    //= A3.1
    #[test]
    fn noise_is_logged_and_not_answered_and_the_line_can_be_reopened() {
        let bench = Bench::start(&["--rtu-port", "bus", "--meters", "1"], None);
        bench.line("bus").write(&[1, 3, 0, 0, 0, 2, 0xAA, 0x55]);
        bench.await_lines(1);
        values(&bench.line("bus").ask(1, &read(0, 2), LONG));
        let log = bench.stop();
        assert_eq!(log.len(), 3);
        assert_eq!(
            (log[0].text("event"), log[0].text("bytes")),
            ("noise".to_owned(), "010300000002aa55".to_owned(),)
        );
        assert!(log[0].lacks("request_no"));
        assert_eq!(log[1].number("request_no"), 1);
    }

    //= A4.1
    #[test]
    fn every_request_has_an_outcome_even_when_the_street_stops() {
        let bench = faulty("kind = \"late\"\ndelay_ms = 60000");
        bench.line("bus").say(1, &read(0, 2));
        bench.await_lines(1);
        let link = bench.path("bus");
        assert!(link.is_symlink());
        let (log, stopping) = bench.stop_by(Signal::INT);
        assert!(
            stopping < Duration::from_millis(200),
            "it took {stopping:?} to stop"
        );
        let last = log.last().unwrap();
        assert_eq!(
            (last.text("event"), last.text("reason")),
            ("no-reply".to_owned(), "street stopped".to_owned(),)
        );
        assert!(!link.is_symlink());
    }

    //= A3.1
    #[test]
    fn it_stops_by_itself_and_refuses_what_makes_no_sense() {
        let mut bench = Bench::start(&["--for", "0.3s"], None);
        assert!(bench.wait(LONG).success());
        for (args, plan, due, says) in [
            (
                &["--rtu-port", "a", "--rtu-port", "a"][..],
                None,
                2,
                "given twice",
            ),
            (&["--rtu-port", "../a"], None, 2, "letters"),
            (&["--rtu-port", "tcp"], None, 2, "choose another"),
            (&["--meters", "300"], None, 2, "add ports"),
            (&["--meters", "0"], None, 2, "1 meter at least"),
            (&["--for", "soon"], None, 2, "with its unit"),
            (&["--for", "20"], None, 2, "with its unit"),
            (&["--plan", "nonex"], None, 3, "cannot read the fault plan"),
            (
                &[],
                Some("[[fault]]\nmeter = \"m99\"\nkind = \"silent\""),
                3,
                "line 2: there is no",
            ),
        ] {
            let (code, message) = Bench::refused(args, plan);
            assert_eq!(code, Some(due), "{message}");
            assert!(message.contains(says), "{message:?} does not say {says:?}");
        }
    }

    //= A3.1
    #[test]
    fn it_ends_with_its_parent() {
        let bench = Bench::start_under_shell();
        assert!(bench.wait_gone(LONG), "the street outlived its parent");
    }
}
