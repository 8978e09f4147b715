//! `fieldnotary time why`: what the clock was worth at an instant, and why it jumped.

use super::{now, read, said};
use crate::cli::TimeWhyArgs;
use crate::commands::Ended;
use crate::commands::ink::{Ink, ink};
use crate::commands::table::{Align, Table};
use crate::commands::words;
use evidence::foreign::line;
use evidence::reasons::EpochCause;
use query::{AfterTheEnd, Asked, Cover, Jump, Moment, Sign, TimeAccount, TimeWhy};
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
    node(&mut out, why);
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
            let again = words::time(end.utc);
            let pair = why.restarts.iter().find(|(_, began)| began.first == *end);
            let _ = match pair.and_then(|(ended, _)| ended.ended.as_ref()) {
                Some(event) => writeln!(
                    out,
                    "{at}: nothing was stamped, for the node did not run: {} at {}, and it began again at {again}",
                    said::of_node(event),
                    words::time(event.mark.utc)
                ),
                None => {
                    let torn =
                        pair.and_then(|(_, began)| began.cause) == Some(EpochCause::Recovery);
                    let how = if torn {
                        ", without an orderly stop"
                    } else {
                        ""
                    };
                    writeln!(
                        out,
                        "{at}: nothing was stamped; the last entry before is of {}{how}, and the node began again at \
                         {again}",
                        said::mark(begin)
                    )
                }
            };
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
    if let Some(end) = why.ended.as_ref().filter(|_| why.over.is_none()) {
        return after_the_end(&at, end);
    }
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

/// The node does not run, and the instant lies behind its end.
fn after_the_end(at: &str, end: &AfterTheEnd) -> String {
    let newest = said::mark(&end.newest);
    let ended = match &end.run.ended {
        Some(event) => format!(
            "the node did not run any more: {} at {}",
            said::of_node(event),
            words::time(event.mark.utc)
        ),
        None => "the node does not run, and how it ended is not in the log".to_owned(),
    };
    let known = match end.stretch.cover.label() {
        Some(label) => format!(
            "  its last stamps said {}, from {} on: {}\n",
            said::label(label),
            words::time(end.stretch.begin.utc),
            said::reason(label)
        ),
        None => String::new(),
    };
    format!("{at}: {ended}; nothing was stamped behind {newest}\n{known}")
}

/// Processes of the node that ended or came again around it.
fn node(out: &mut String, why: &TimeWhy) {
    if why.node.is_empty() {
        return;
    }
    let mut near: Vec<_> = why.node.iter().collect();
    near.sort_by_key(|sign| sign.before_ns.unsigned_abs());
    let more = near.len().saturating_sub(SIGNS_SHOWN_MAX);
    near.truncate(SIGNS_SHOWN_MAX);
    near.sort_by_key(|sign| (sign.event.mark.at, sign.event.mark.entry));
    out.push_str("The node's own processes around it:\n");
    for sign in near {
        let _ = writeln!(out, "  {}: {}", sense(sign), said::of_node(&sign.event));
    }
    if more > 0 {
        let _ = writeln!(out, "  {more} more: --json");
    }
}

/// How long before or behind.
fn sense(sign: &Sign) -> String {
    let sense = if sign.before_ns < 0 {
        "behind"
    } else {
        "before"
    };
    format!(
        "{} {sense}",
        words::nanoseconds(sign.before_ns.unsigned_abs())
    )
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
        table.row([
            sense(sign),
            said::entry(Some(sign.event.mark.entry)),
            sign.event.code.name().to_owned(),
            sign.event
                .cause
                .map_or("-", evidence::reasons::TimeCause::name)
                .to_owned(),
            line(sign.event.detail.as_deref().unwrap_or_default()),
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
        let by = ended.ended.as_ref().map_or_else(String::new, |event| {
            format!(" Before it: {}.", said::of_node(event))
        });
        let _ = writeln!(
            out,
            "Restart: {what} between {} and {}{back}; epoch entry {}.{by}",
            words::time(ended.last.utc),
            words::time(began.first.utc),
            said::entry(began.entry),
        );
    }
}
