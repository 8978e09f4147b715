//! Dangerous system calls, refused by a filter. What is refused fails with EPERM; nothing is killed.
//!
//! A list of what is refused, not of what is allowed: a call that a later library makes in the field
//! must not stop a recorder. What it could do is bounded by files, network and limits anyway.

use crate::{Calls, Network, Outcome, Row, Site};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};
use std::collections::BTreeMap;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// A group of calls, and why no role needs it.
type Group = (&'static str, &'static [libc::c_long]);

/// Refused to every role, whatever the arguments.
const REFUSED: &[Group] = &[
    ("starts programs", &[libc::SYS_execve, libc::SYS_execveat]),
    (
        "looks into other processes",
        &[
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_kcmp,
            libc::SYS_pidfd_open,
            libc::SYS_pidfd_getfd,
            libc::SYS_pidfd_send_signal,
            libc::SYS_perf_event_open,
            libc::SYS_process_madvise,
        ],
    ),
    (
        "changes what is mounted, and the namespaces",
        &[
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_pivot_root,
            libc::SYS_chroot,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_open_tree,
            libc::SYS_move_mount,
            libc::SYS_fsopen,
            libc::SYS_fsconfig,
            libc::SYS_fsmount,
            libc::SYS_fspick,
            libc::SYS_mount_setattr,
            libc::SYS_open_by_handle_at,
            libc::SYS_quotactl,
        ],
    ),
    (
        "changes the kernel or the machine",
        &[
            libc::SYS_init_module,
            libc::SYS_finit_module,
            libc::SYS_delete_module,
            libc::SYS_kexec_load,
            libc::SYS_bpf,
            libc::SYS_reboot,
            libc::SYS_swapon,
            libc::SYS_swapoff,
            libc::SYS_sethostname,
            libc::SYS_setdomainname,
            libc::SYS_syslog,
            libc::SYS_acct,
            libc::SYS_userfaultfd,
            libc::SYS_fanotify_init,
            libc::SYS_lookup_dcookie,
        ],
    ),
    (
        "sets a clock",
        &[
            libc::SYS_clock_settime,
            libc::SYS_settimeofday,
            libc::SYS_adjtimex,
            libc::SYS_clock_adjtime,
        ],
    ),
    (
        "changes user or rights",
        &[
            libc::SYS_setuid,
            libc::SYS_setgid,
            libc::SYS_setreuid,
            libc::SYS_setregid,
            libc::SYS_setresuid,
            libc::SYS_setresgid,
            libc::SYS_setfsuid,
            libc::SYS_setfsgid,
            libc::SYS_setgroups,
            libc::SYS_capset,
            libc::SYS_personality,
        ],
    ),
    (
        "keeps keys in the kernel",
        &[libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl],
    ),
    // Its requests would pass by this filter.
    (
        "makes calls behind the filter",
        &[
            libc::SYS_io_uring_setup,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
        ],
    ),
    // The limits are set; nobody moves them from within.
    ("moves limits", &[libc::SYS_setrlimit]),
];

/// Calls that only this architecture has.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[libc::c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_kexec_file_load,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[libc::c_long] = &[];

/// Of those, what starts a process.
#[cfg(target_arch = "x86_64")]
const STARTS_HERE: &[libc::c_long] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const STARTS_HERE: &[libc::c_long] = &[];

/// What tells how the clock is disciplined, and sets it where the caller has the right to.
const ASKS_CLOCK: [i64; 2] = [libc::SYS_adjtimex, libc::SYS_clock_adjtime];

/// Gives up the right to set the clock, for a row that may ask for it.
fn without_clock_right(row: &Row) -> rustix::io::Result<()> {
    if !row.calls.contains(&Calls::AskClock) {
        return Ok(());
    }
    let mut held = capabilities(None)?;
    for set in [
        &mut held.effective,
        &mut held.permitted,
        &mut held.inheritable,
    ] {
        set.remove(CapabilitySet::SYS_TIME);
    }
    set_capabilities(None, held)
}

/// Whether the row starts programs on this site.
pub(crate) fn starts(row: &Row, site: &Site) -> bool {
    row.calls.contains(&Calls::Programs) && !site.programs.is_empty()
}

/// Puts the row's filter in force for this thread and those it starts.
pub(crate) fn apply(row: &Row, site: &Site) -> Outcome {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else {
        let arch = std::env::consts::ARCH;
        return Outcome::Not(format!("there is no filter for {arch}"));
    };
    if let Err(errno) = without_clock_right(row) {
        return Outcome::Not(format!(
            "the right to set the clock cannot be given up: {errno}"
        ));
    }
    let in_force = rules(row, starts(row, site)).and_then(|rules| {
        // The second answers the newer way to start threads with "not implemented": its flags lie in
        // memory, where a filter cannot see them, and the C library falls back to the older one.
        let newer = Rules::from([(number(libc::SYS_clone3), Vec::new())]);
        for (rules, errno) in [(rules, libc::EPERM), (newer, libc::ENOSYS)] {
            put(rules, errno, arch)?;
        }
        Ok(())
    });
    Outcome::of("the filter", in_force)
}

fn put(rules: Rules, errno: libc::c_int, arch: TargetArch) -> Result<(), seccompiler::Error> {
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?;
    let program = BpfProgram::try_from(filter)?;
    apply_filter(&program)
}

fn number(call: libc::c_long) -> i64 {
    call
}

/// An argument as the filter compares it.
fn value(argument: libc::c_int) -> u64 {
    u64::from(argument.unsigned_abs())
}

/// Namespaces that a new process could be put into. That of time is not among them: where `clone3` has its flag, this
/// older call has the signal of the child's end.
const NAMESPACES: libc::c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

fn rules(row: &Row, starts: bool) -> Result<Rules, seccompiler::Error> {
    let all = REFUSED.iter().flat_map(|(_, calls)| calls.iter());
    let mut rules: Rules = all
        .chain(REFUSED_HERE)
        .map(|call| (number(*call), Vec::new()))
        .collect();
    if row.calls.contains(&Calls::AskClock) {
        rules.retain(|call, _| !ASKS_CLOCK.contains(call));
    }
    if !row.calls.contains(&Calls::Listen) {
        rules.insert(number(libc::SYS_listen), Vec::new());
    }
    // Limits may be asked for, not set: the new limit is the third argument.
    let reads = |call, place| -> Result<_, seccompiler::Error> {
        Ok((number(call), vec![rule(&[(place, SeccompCmpOp::Ne, 0)])?]))
    };
    rules.extend([reads(libc::SYS_prlimit64, 2)?]);
    rules.insert(number(libc::SYS_clone), processes()?);
    let own = value(libc::c_int::try_from(std::process::id()).unwrap_or(libc::c_int::MAX));
    for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo] {
        let others = rule(&[(0, SeccompCmpOp::Ne, own)])?;
        rules.insert(number(call), vec![others]);
    }
    rules.insert(number(libc::SYS_socket), sockets(row.network)?);
    if starts {
        // Which program, Landlock says.
        for call in STARTS_HERE.iter().chain(&[libc::SYS_execve]) {
            rules.remove(&number(*call));
        }
        rules.insert(number(libc::SYS_clone), children()?);
        rules.insert(number(libc::SYS_kill), ends_children()?);
    }
    Ok(rules)
}

/// All comparisons hold.
fn rule(comparisons: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, seccompiler::Error> {
    let conditions: Result<Vec<_>, _> = comparisons
        .iter()
        .map(|(place, op, value)| {
            // A pointer has 64 bits; all others are 32 bits wide, and the rest of theirs says nothing.
            let width = if (*place, *value) == (2, 0) {
                SeccompCmpArgLen::Qword
            } else {
                SeccompCmpArgLen::Dword
            };
            SeccompCondition::new(*place, width, op.clone(), *value)
        })
        .collect();
    Ok(SeccompRule::new(conditions?)?)
}

/// Threads, but no processes.
fn processes() -> Result<Vec<SeccompRule>, seccompiler::Error> {
    let thread = value(libc::CLONE_THREAD);
    let mut refused = children()?;
    refused.push(rule(&[(0, SeccompCmpOp::MaskedEq(thread), 0)])?);
    Ok(refused)
}

/// Processes as well, but nothing in a namespace of its own: none in which it would be root.
fn children() -> Result<Vec<SeccompRule>, seccompiler::Error> {
    let bits = (0..i32::BITS).map(|bit| 1 << bit);
    bits.filter(|bit| NAMESPACES & bit != 0)
        .map(|bit| rule(&[(0, SeccompCmpOp::MaskedEq(value(bit)), value(bit))]))
        .collect()
}

/// Any process or group of processes that is named, since nobody knows the numbers of children beforehand, but not
/// all there are (-1) nor the own group (0). Where Landlock has scopes, it lets no signal out of them.
fn ends_children() -> Result<Vec<SeccompRule>, seccompiler::Error> {
    let whole = [u64::from(u32::MAX), 0];
    whole
        .map(|group| rule(&[(0, SeccompCmpOp::Eq, group)]))
        .into_iter()
        .collect()
}

/// Sockets of families that the row has no use for, and raw ones of all but the kernel's own (which
/// the resolver asks for the machine's addresses).
fn sockets(network: Network) -> Result<Vec<SeccompRule>, seccompiler::Error> {
    let families: &[libc::c_int] = match network {
        Network::Local => &[libc::AF_UNIX],
        Network::Named => &[
            libc::AF_UNIX,
            libc::AF_INET,
            libc::AF_INET6,
            libc::AF_NETLINK,
        ],
    };
    let others: Vec<_> = families
        .iter()
        .map(|family| (0, SeccompCmpOp::Ne, value(*family)))
        .collect();
    let raw = [
        (0, SeccompCmpOp::Ne, value(libc::AF_NETLINK)),
        (1, SeccompCmpOp::MaskedEq(0xF), value(libc::SOCK_RAW)),
    ];
    Ok(vec![rule(&others)?, rule(&raw)?])
}
