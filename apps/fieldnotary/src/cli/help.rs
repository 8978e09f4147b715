//! What stands below the options of each verb: examples, where things come from, exit codes.

/// How to get from nothing to a verified log, and the one table of exit codes; every verb says what its
/// own `no` is.
pub(crate) const PROGRAM: &str = "\
First steps, with a Modbus TCP meter at 192.0.2.7:
  fieldnotary init station.toml --origin example.org/station-1 \\
      --tcp 192.0.2.7:502 --register holding:0
  fieldnotary check station.toml
  fieldnotary run station.toml --data node
  fieldnotary status node
  fieldnotary verify node --anchor VKEY

`run` goes on until Ctrl-C, so look from another terminal. It prints the VKEY, and the `verify` line
as a whole. `fieldnotary log node` shows every reading, `fieldnotary gaps node` what is missing.
No meter at hand? `fieldnotary-street --dir street --tcp 127.0.0.1:5020` simulates some, and
`fieldnotary demo` plays a whole site with faults.

Exit codes:
  0  done, and what was asked holds
  1  done, and the answer is no (each verb's --help says which no it has)
  2  the command line was not understood
  3  it could not be done; standard error says what, where and the cure";

pub(crate) const INIT: &str = "\
Examples:
  fieldnotary init station.toml --origin example.org/station-1 \\
      --tcp 192.0.2.7:502 --register holding:0
  fieldnotary init station.toml --origin example.org/station-1 \\
      --rtu /dev/ttyUSB0 --baud 19200 --unit 7 --every 15min \\
      --register energy=holding:0:u32 --register power=input:16:i32
  fieldnotary init station.toml    every key with its meaning, some to be filled in

Where the numbers come from: the meter's manual lists its registers. Number 40001 of the old
numbering is holding:0, 30001 is input:0, 10001 is discrete:0, 1 is coil:0.

Exit codes:
  0  the file was written
  1  the values given make no sound configuration; nothing was written
  2  the command line was not understood
  3  the file is there already, or cannot be written";

pub(crate) const RUN: &str = "\
Example:
  fieldnotary run station.toml --data node

It says when it is ready, with the log's keys and the commands to look at it. Ctrl-C makes the last
readings durable, seals and delivers them, and ends it.

Exit codes:
  0  it was told to stop, and did
  2  the command line was not understood
  3  it could not run: configuration, keys, certificates or directory; standard error says which";

pub(crate) const CHECK: &str = "\
Examples:
  fieldnotary check station.toml
  fieldnotary check station.toml --data node

Exit codes:
  0  the configuration is sound
  1  it has errors; all of them are listed
  2  the command line was not understood
  3  the file could not be read";

pub(crate) const STATUS: &str = "\
Example:
  fieldnotary status node

Exit codes:
  0  a node runs there
  1  none does; what its files tell is shown, and what a first look finds wrong with its journal
  2  the command line was not understood
  3  not a node's directory, or it could not be read";

pub(crate) const LOG: &str = "\
Examples:
  fieldnotary log node --kind reading --meter meter-1 --last 20
  fieldnotary log node --from -1h --kind attempt_failed
  fieldnotary log node --from 2026-11-20T14:00:00Z \\
      --to 2026-11-20T15:00:00Z --json
  fieldnotary log node --follow

Entries that cannot be read have a line in their place: how many, which, and why; with --json a
record with missing_first and missing_last.

Exit codes:
  0  the entries were printed, be there any or none; a LOSS entry names each that cannot be read
  1  entries cannot be read and no LOSS entry names them, no truth store says where the log ends, or
     --meter or --point names what the log does not know
  2  the command line was not understood
  3  the directory is none, or it could not be read";

pub(crate) const VERIFY: &str = "\
Examples:
  fieldnotary verify node --anchor VKEY
  fieldnotary verify collector --anchor VKEY --json
  fieldnotary verify node --anchor VKEY --known kept/checkpoint
  fieldnotary verify reading.tlog-proof --anchor VKEY
  fieldnotary verify reading.tlog-proof --anchor OLD-VKEY --rotation kept/rotation-001.note
  fieldnotary verify answer --anchor VKEY --nonce 6f1c0a...e2

Where the key comes from: `fieldnotary run` prints the log's keys when it is ready, and
`fieldnotary-signer vkey --identity DIR/identity` prints them again. Keep them elsewhere: keys that
lie beside a log find damage, but a forger would have replaced them too.

An old copy of a log verifies like the log itself, and so does each branch of a fork. What tells them
is a checkpoint kept elsewhere: `checkpoint` of `fieldnotary journal export --tiles`, or of
COLLECTOR/logs/...; keep the newest one, and give it with --known.

A log that is not the one that went before (rollback), by its own word or the collector's, is NOT
VERIFIED until a later generation of it is there; of a collector's directory the same holds. An end
that was lost and that LOSS entries name (lost_end) is named, and fails nothing.

The proof of one entry says what holds the keys where the proof beside it does
(reading.keys.tlog-proof, of the same export); nothing else of the log is there to say it.

An answer is the folder that `fieldnotary attest --to` wrote. Without --nonce nothing says that it is
no older one; without a quote the statement alone is VERIFIED, which the first line and `quoted` of
--json say. That a TPM holds the key the folder does not prove: the log's own verdict says what does.

Exit codes:
  0  VERIFIED: everything holds
  1  NOT VERIFIED: something does not; it is named
  2  the command line was not understood
  3  the directory is none, holds no log, or could not be read; of an answer a file or every key is
     missing";

pub(crate) const GAPS: &str = "\
Examples:
  fieldnotary gaps node
  fieldnotary gaps collector --meter meter-1 --from 2026-11-20 --to 2026-11-21

Exit codes:
  0  nothing is missing, or an entry of the log explains all that is
  1  something is missing that nothing explains, a reading is there twice, entries cannot be read and
     no LOSS entry names them, no truth store says where the log ends, or the log does not know the
     meter of --meter
  2  the command line was not understood
  3  the directory is none, holds no log, or could not be read";

pub(crate) const TIME: &str = "\
Examples:
  fieldnotary time now node --json
  fieldnotary time history node --from -1d
  fieldnotary time why node --at 14:00
  fieldnotary time slots node --day 2026-03-29 --zone Europe/Berlin

All of it is read from the log alone, of a node that runs or has stopped, or of a collector.

Exit codes:
  0  done, and what was asked holds
  1  done, and the answer is no (each verb's --help says which no it has)
  2  the command line was not understood
  3  the directory is none, holds no log, or could not be read";

pub(crate) const TIME_NOW: &str = "\
Example:
  fieldnotary time now node

Exit codes:
  0  the newest entry is stamped SYNCED
  1  it is not: RTC_ONLY or HOLDOVER; or the directory is a node's that does not run
  2  the command line was not understood
  3  the directory is none, holds no log, or could not be read";

pub(crate) const TIME_HISTORY: &str = "\
Examples:
  fieldnotary time history node --from -1d
  fieldnotary time history collector --from 2026-11-20 --to 2026-11-21 \\
      --svg day.svg

The drawing: the error bound on a logarithmic axis, the time from left to right; below it a band with
the label of each moment, ^ a jump of the clock, ! one that nothing explains.

Exit codes:
  0  every jump of the clock has an entry that explains it, or there is none
  1  a jump is there that nothing explains, or no entry is of that time
  2  the command line was not understood
  3  the directory is none, holds no log, or could not be read; --to is before --from; or FILE cannot be
     written";

pub(crate) const TIME_WHY: &str = "\
Examples:
  fieldnotary time why node --at 2026-11-20T14:00:00Z
  fieldnotary time why node 4711

An instant or an entry is asked about, one of the two. An instant just ahead of the newest entry is
answered as of that entry, and one behind an orderly stop by that stop.

Exit codes:
  0  the log answers: it reaches there, and an entry explains the last jump before it
  1  it does not: no such entry, no entries of that time, or a jump that nothing explains
  2  the command line was not understood
  3  the directory is none, holds no log, or could not be read";

pub(crate) const TIME_SLOTS: &str = "\
Examples:
  fieldnotary time slots node --day 2026-03-29 --zone Europe/Berlin
  fieldnotary time slots collector --day 2026-11-20 --every 1h \\
      --tolerance 30s --json

A day has 96 quarters of an hour; fewer or more where its zone sets the clocks on or back, as 92 and
100 in Berlin. A slot is filled by what was read within the tolerance of the boundary at which it
begins. Slots of before the log's first entry, and those that can still be filled, are not judged.
Zone data is built in; none is needed on the machine.

Exit codes:
  0  every slot of every point is filled, and no step of the clock crossed a boundary
  1  some are not, or one did: each is listed, with its cause and the entry that tells; or the log knows
     no such meter
  2  the command line was not understood
  3  no such day or zone, the slots do not divide it, or the directory is none or could not be read";

pub(crate) const JOURNAL: &str = "\
Examples:
  fieldnotary journal inspect node --json
  fieldnotary journal export --tiles node -o tiles

None of them takes a lock or writes to the journal: they work beside a running node, and on a folder
journal/gNNNNNN alone.

Exit codes:
  0  done, and what was asked holds
  1  done, and the answer is no (fsck: something is wrong; it is named)
  2  the command line was not understood
  3  nothing of a journal is there, or it could not be read";

pub(crate) const JOURNAL_INSPECT: &str = "\
Examples:
  fieldnotary journal inspect node
  fieldnotary journal inspect node/journal/g000001 --segment 3
  fieldnotary journal inspect node --segment 3 --frame 4096 --json

Fields are named as in spec/journal-v1.md.

Exit codes:
  0  it was shown, whatever state it is in
  1  it was shown, and no sound part of a log is in it although it is not blank
  2  the command line was not understood
  3  nothing of a journal is there, or no such segment";

pub(crate) const JOURNAL_FSCK: &str = "\
Examples:
  fieldnotary journal fsck node
  fieldnotary journal fsck disk-image/journal/g000001 \\
      --salvage entries.jsonl --json

It looks at bytes and trees; whether signatures hold is said by `fieldnotary verify`.

Exit codes:
  0  sound: every entry in the ring can be read, and both copies of everything
  1  something is wrong; each finding says where, which entries, what it means and what can be done
  2  the command line was not understood
  3  nothing of a journal is there, or the file of --salvage could not be written";

pub(crate) const JOURNAL_SELFTEST: &str = "\
Examples:
  fieldnotary journal selftest node
  fieldnotary journal selftest node --json

Five symptoms are looked for in counters, epochs and entries of the log: records whose CRC fails though
the wire is clean, timeouts behind stalls, readings that came twice, a medium that wears out, recoveries
that take longer each time.

Exit codes:
  0  nothing is suspected
  1  something is; the likely cause stands below it
  2  the command line was not understood
  3  there is no log, or it cannot be opened";

pub(crate) const JOURNAL_BUDGET: &str = "\
Examples:
  fieldnotary journal budget station.toml
  fieldnotary journal budget station.toml --endurance-tbw 20
  fieldnotary journal budget station.toml --pe-cycles 3000 \\
      --capacity 4GiB --page 16KiB

A day of the node is played through: sessions, groups, seals, segments. What fails, retries and
restarts is not in it.

Exit codes:
  0  it was computed
  2  the command line was not understood
  3  the configuration could not be read, or is not sound";

pub(crate) const JOURNAL_EXPORT: &str = "\
Examples:
  fieldnotary journal export --tiles node -o tiles
  fieldnotary journal export --proof 4711 node -o reading.tlog-proof

Both are read by tools that are not ours: a log as C2SP tlog-tiles (c2sp.org/tlog-tiles), a proof as
c2sp.org/tlog-proof, both under a signed checkpoint. `fieldnotary verify OUT --anchor VKEY` checks
them too. What is lost or has left the ring is named in OUT/holes.json; entries that no checkpoint
covers yet are not exported. A proof holds the one entry, and nothing of any other; what holds the
log's keys is another entry, whose own proof is written beside it (reading.keys.tlog-proof).

Exit codes:
  0  written; what is missing in it is explained
  1  written, but entries are lost that no LOSS entry of the log names, or no truth store says where
     the log ends
  2  the command line was not understood
  3  nothing was written; standard error says why";

pub(crate) const BACKUP: &str = "\
Examples:
  fieldnotary backup node --to node-2026-11-20
  fieldnotary backup node --to node-2026-11-20.tar --with-keys

Exit codes:
  0  the backup is written and verified
  1  it is written, but the log in it does not verify: the node's own copy is damaged
  2  the command line was not understood
  3  there is no backup; standard error says why";

pub(crate) const RESTORE: &str = "\
Example:
  fieldnotary restore node-2026-11-20 --data node --anchor VKEY \\
      --reason \"disk failed, ticket 4711\"

Exit codes:
  0  restored and verified; adopt it before anything runs on it
  1  restored with --damaged, and the log in it does not verify
  2  the command line was not understood
  3  refused, and nothing was written, or it broke off; standard error says why";

pub(crate) const ADOPT: &str = "\
Adopt only one copy of a log, and see to it that no other goes on: the collector then freezes the
older generation, and every number of the new one is new. A directory that is adopted already, and on
which nothing has run since, is told as such and left as it is, unless --again is given.

Example:
  fieldnotary adopt node --cause restored --reason \"disk replaced\"

Exit codes:
  0  the new generation begins
  2  the command line was not understood
  3  refused, and nothing has changed; standard error says why";
