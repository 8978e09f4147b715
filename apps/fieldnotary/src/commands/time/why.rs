//! `fieldnotary time why`: what the clock was worth at an instant, and why it jumped.

use super::{now, read, said};
use crate::cli::TimeWhyArgs;
use crate::commands::Ended;
use crate::commands::ink::{Ink, ink};
use crate::commands::table::{Align, Table};
use crate::commands::words;
use query::{Asked, Cover, Jump, Moment, TimeAccount, TimeWhy};
use std::fmt::Write;

/// Signs that the screen shows; --json has all.
const SIGNS_SHOWN_MAX: usize = 8;

/// Answers. Ends badly where the log does not tell.
pub(super) fn why(args: &TimeWhyArgs) -> Result<Ended, String> {
    let asked = args.at.map(Asked::Time).or(args.entry);
    let asked = asked.ok_or("say which: --at INSTANT, or a COMMIT_ID")?;
    let mut account = TimeAccount::asking(asked);
    read(&args.dir, &mut account)?;
    if now::stopped(&args.dir) == Some(true) {
        account.says_no_more();
    }
    let Some(why) = account.why() else {
        complain!("fieldnotary: {}", no_such_entry(&account, asked));
        return Ok(Ended::Badly);
    };
    if args.json {
        sayln!("{}", why.json());
    } else {
        say!("{}", screen(&why));
    }
    Ok(match why.is_explained() {
        true => Ended::Well,
        false => Ended::Badly,
    })
}

fn no_such_entry(account: &TimeAccount, asked: Asked) -> String {
    let Asked::Entry {
        generation,
        commit_id,
    } = asked
    else {
        return "nothing was asked".to_owned();
    };
    let Some((first, newest)) = account.reach() else {
        return "the log holds no entry".to_owned();
    };
    if let Some(generation) = generation.filter(|one| !account.has_generation(*one)) {
        return format!("the log has no generation {generation}");
    }
    let what = match commit_id > newest.entry.commit_id.0 {
        true => "the log has not come to",
        false => "the log does not hold, for it was lost or has left the ring,",
    };
    format!(
        "{what} entry {commit_id}; it goes from {} to {}",
        said::mark(&first),
        said::mark(&newest)
    )
}

pub(super) fn screen(why: &TimeWhy) -> String {
    let mut out = String::new();
    if let Some(ns) = why.ahead_ns {
        let by = words::nanoseconds(ns);
        let _ = writeln!(out, "The log ends {by} before; as of its newest entry:");
    }
    for one in &why.moments {
        moment(&mut out, why, one);
    }
    if why.moments.len() > 1 {
        for one in &why.moments {
            if let Some((jump, ns)) = &one.jump_before {
                let _ = writeln!(
                    out,
                    "{} at {} on the boot's clock: the last jump before was {} earlier, {} ({})",
                    words::time(one.utc),
                    words::nanoseconds(one.at.0),
                    distance(*ns),
                    said::jump(jump),
                    said::proof(jump)
                );
            }
        }
        out.push_str("The clock showed this time more than once: it was set back in between.\n");
    }
    if why.moments.is_empty() {
        out.push_str(&nowhere(why));
    }
    out.push('\n');
    match (why.jump(), why.moments.is_empty() && why.over.is_none()) {
        (Some(one), _) => jump(&mut out, why, one),
        (None, false) => out.push_str("The clock had not jumped before, as far as the log goes.\n"),
        (None, true) => {}
    }
    if let Some((one, ns)) = &why.after {
        let _ = writeln!(
            out,
            "Next jump: {} later, {} ({}).",
            distance(*ns),
            said::jump(one),
            said::proof(one)
        );
    }
    for (place, one) in why.offered.iter().enumerate() {
        let name = if place == 0 {
            "Offered times by then:\n"
        } else {
            ""
        };
        let _ = writeln!(out, "{name}  {}", said::offered(one));
    }
    restarts(&mut out, why);
    out
}

fn moment(out: &mut String, why: &TimeWhy, one: &Moment) {
    let at = words::time(one.utc);
    match &one.stretch.cover {
        Cover::Labelled(label) => {
            let _ = writeln!(out, "{at}: {}", said::label(label));
            let _ = writeln!(out, "  {}", said::reason(label));
            for event in &one.in_force {
                let _ = writeln!(out, "  {}", said::in_force(event));
            }
            let (begin, end) = (&one.stretch.begin, &one.stretch.end);
            // Of an entry whose stamp no stretch has nothing more is known.
            if begin != end {
                let (begin, until) = (said::mark(begin), words::time(end.utc));
                let _ = writeln!(
                    out,
                    "  so from {begin}\n  to {until} (last entry {})",
                    end.entry
                );
            }
        }
        Cover::NotRunning => {
            let (begin, end) = (&one.stretch.begin, &one.stretch.end);
            let _ = writeln!(
                out,
                "{at}: nothing was stamped; the last entry before is of {}, and the node began again at {}",
                said::mark(begin),
                words::time(end.utc)
            );
        }
        Cover::NotHere => {
            let words = ink(Ink::Bad, "the entries of that time are not here");
            let _ = writeln!(out, "{at}: {words}");
        }
    }
    let limit = why.limit_ns.map_or_else(String::new, |ns| {
        format!("; the site allows {}", words::nanoseconds(ns))
    });
    if let Some(stamp) = &one.stamp {
        let _ = writeln!(out, "  error bound {}{limit}", said::bound(stamp.bound_ns));
    } else if let Some((least, most)) = one.stretch.bound_ns {
        let (least, most) = (words::bound(least), words::bound(most));
        let bounds = match least == most {
            true => least,
            false => format!("{least} to {most}"),
        };
        let _ = writeln!(out, "  error bound {bounds} in this stretch{limit}");
    }
    if let Some((entry, map)) = &one.map {
        if let Some(parts) = said::parts(map) {
            let _ = writeln!(out, "  at {}: {parts}", words::time(map.utc));
        }
        let _ = writeln!(out, "  it rests on {} (entry {entry})", map.basis);
    }
}

fn nowhere(why: &TimeWhy) -> String {
    let Asked::Time(utc) = why.asked else {
        return String::new();
    };
    let at = words::time(utc);
    match (&why.over, &why.reach) {
        (Some(_), _) => format!("{at}: the clock never showed this time, it jumped over it\n"),
        (None, Some((first, last))) => format!(
            "{at}: the log says nothing of it; it goes from {}\nto {}\n",
            said::mark(first),
            said::mark(last)
        ),
        (None, None) => format!("{at}: the log holds no entry\n"),
    }
}

fn jump(out: &mut String, why: &TimeWhy, one: &Jump) {
    let since = match (&why.over, &why.before) {
        (None, Some((_, ns))) => format!("{} before", distance(*ns)),
        _ => "At that very time".to_owned(),
    };
    let _ = writeln!(
        out,
        "{since}, the clock {} ({}).",
        said::jump(one),
        said::proof(one)
    );
    let _ = writeln!(
        out,
        "  from {} to {}",
        words::time(one.before.utc),
        words::time(one.after.utc)
    );
    let _ = writeln!(out, "  {}", said::cause(one));
    if let Some(seen) = said::seen(one) {
        let _ = writeln!(out, "  the node saw it {seen}");
    }
    let signs = why
        .signs
        .iter()
        .filter(|sign| Some(sign.event.mark.entry) != one.event);
    let signs: Vec<_> = signs.collect();
    if signs.is_empty() {
        out.push_str("  No source of time showed anything in the minute before it.\n");
        return;
    }
    let mut table = Table::new(&[
        ("  around it", Align::Right),
        ("entry", Align::Right),
        ("event", Align::Left),
        ("cause", Align::Left),
        ("", Align::Left),
    ]);
    for sign in signs.iter().take(SIGNS_SHOWN_MAX) {
        let sense = if sign.before_ns < 0 {
            "behind"
        } else {
            "before"
        };
        table.row([
            format!(
                "{} {sense}",
                words::nanoseconds(sign.before_ns.unsigned_abs())
            ),
            said::entry(Some(sign.event.mark.entry)),
            sign.event.code.name().to_owned(),
            sign.event
                .cause
                .map_or("-", evidence::reasons::TimeCause::name)
                .to_owned(),
            sign.event.detail.clone().unwrap_or_default(),
        ]);
    }
    let _ = write!(out, "{table}");
    if let Some(more) = signs
        .len()
        .checked_sub(SIGNS_SHOWN_MAX)
        .filter(|more| *more > 0)
    {
        let _ = writeln!(out, "  {more} more: --json");
    }
}

fn distance(ns: i64) -> String {
    words::nanoseconds(ns.unsigned_abs())
}

fn restarts(out: &mut String, why: &TimeWhy) {
    for (ended, began) in &why.restarts {
        let what = match ended.same_boot(began) {
            Some(true) => "the node was restarted",
            Some(false) => "the machine was rebooted",
            None => "the node was restarted, and whether the machine was is not known",
        };
        let back = match began.first.utc < ended.last.utc {
            true => ink(Ink::Odd, "; its clock was behind then"),
            false => String::new(),
        };
        let _ = writeln!(
            out,
            "Restart: {what} between {} and {}{back}; epoch entry {}.",
            words::time(ended.last.utc),
            words::time(began.first.utc),
            said::entry(began.entry),
        );
    }
}
