//! What the tests need from the machine: looked for first, installed only where it is missing.

use crate::failure::{Failure, Outcome};
use crate::run;
use crate::workspace::Workspace;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that must answer, and the Debian packages that bring it.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    pub(crate) program: &'static str,
    pub(crate) probe: &'static [&'static str],
    pub(crate) packages: &'static [&'static str],
    pub(crate) purpose: &'static str,
}

pub(crate) const OPENSSL: Tool = Tool {
    program: "openssl",
    probe: &["version"],
    packages: &["openssl"],
    purpose: "checks our signatures from outside",
};
const PYTHON: Tool = Tool {
    program: "python3",
    probe: &["-c", "import venv, ensurepip"],
    packages: &["python3", "python3-venv"],
    purpose: "runs the test peers",
};
const LIBMODBUS: Tool = Tool {
    program: "python3",
    probe: &["-c", "import ctypes; ctypes.CDLL('libmodbus.so.5')"],
    packages: &["python3", "libmodbus5"],
    purpose: "serves meters that are not ours",
};
const CXX: Tool = Tool {
    program: "c++",
    probe: &["--version"],
    packages: &["g++"],
    purpose: "builds libFuzzer",
};
pub(crate) const PTP4L: Tool = Tool {
    program: "ptp4l",
    probe: &["-v"],
    packages: &["linuxptp"],
    purpose: "is a source of time under test",
};
const CHRONYC: Tool = Tool {
    program: "chronyc",
    probe: &["-v"],
    packages: &["chrony"],
    purpose: "is a source of time under test; where a service manager runs, its package also starts one that sets this machine's clock",
};
pub(crate) const IP: Tool = Tool {
    program: "ip",
    probe: &["-V"],
    packages: &["iproute2"],
    purpose: "makes the network that clocks are tried in",
};
pub(crate) const NFT: Tool = Tool {
    program: "nft",
    probe: &["-v"],
    packages: &["nftables"],
    purpose: "loses packets of that network",
};
pub(crate) const SWTPM: Tool = Tool {
    program: "swtpm",
    probe: &["--version"],
    packages: &["swtpm"],
    purpose: "is a TPM under test",
};
pub(crate) const SWTPM_SETUP: Tool = Tool {
    program: "swtpm_setup",
    probe: &["--help"],
    packages: &["swtpm-tools"],
    purpose: "gives that TPM endorsement certificates",
};
pub(crate) const TPM2_TOOLS: Tool = Tool {
    program: "tpm2_nvreadpublic",
    probe: &["--version"],
    packages: &["tpm2-tools", "libtss2-tcti-swtpm0", "libtss2-tcti-device0"],
    purpose: "judges that TPM from outside",
};
const SOFTHSM: Tool = Tool {
    program: "softhsm2-util",
    probe: &["--version"],
    packages: &["softhsm2"],
    purpose: "is a PKCS#11 token under test",
};
const PKCS11_TOOL: Tool = Tool {
    program: "pkcs11-tool",
    probe: &["--module", "/usr/lib/softhsm/libsofthsm2.so", "--show-info"],
    packages: &["opensc", "softhsm2"],
    purpose: "judges that token from outside",
};
const GO: Tool = Tool {
    program: "go",
    probe: &["version"],
    packages: &["golang-go"],
    purpose: "builds verifiers of published logs that are not ours",
};
/// The sources of its library, which must be where Debian puts them.
const GO_SUMDB: Tool = Tool {
    program: "gofmt",
    probe: &[
        "-l",
        "/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog/tlog.go",
    ],
    packages: &["golang-go", "golang-golang-x-mod-dev"],
    purpose: "reads the library of those verifiers",
};

const RSYSLOG: Tool = Tool {
    program: "/usr/sbin/rsyslogd",
    probe: &["-v"],
    packages: &["rsyslog", "rsyslog-openssl"],
    purpose: "receives syslog over TLS from a node",
};

/// What `cargo xtask test` needs.
pub(crate) const FOR_TESTS: &[Tool] = &[
    OPENSSL,
    PYTHON,
    LIBMODBUS,
    PTP4L,
    CHRONYC,
    IP,
    NFT,
    SWTPM,
    SWTPM_SETUP,
    TPM2_TOOLS,
    SOFTHSM,
    PKCS11_TOOL,
    GO,
    GO_SUMDB,
    RSYSLOG,
];
/// What `cargo xtask tamper` needs.
pub(crate) const FOR_TAMPERING: &[Tool] = &[OPENSSL, GO, GO_SUMDB];
/// What `cargo xtask fuzz` needs.
pub(crate) const FOR_FUZZING: &[Tool] = &[CXX];

/// What `cargo xtask ci` needs, all at once.
pub(crate) fn for_ci(workspace: &Workspace) -> Outcome {
    setup(workspace, &[FOR_TESTS, FOR_TAMPERING, FOR_FUZZING].concat())
}

/// The pinned Python packages.
const PEERS: &str = "fixtures/peers/requirements.txt";
/// Names the environment of the peers, where it is not the one made here.
pub(crate) const PEERS_VARIABLE: &str = "FIELDNOTARY_PEERS";

/// The Python environment of the peers.
pub(crate) fn peers(workspace: &Workspace) -> PathBuf {
    std::env::var_os(PEERS_VARIABLE)
        .map_or_else(|| workspace.path("target/peers/venv"), PathBuf::from)
}

/// Sees to the tools, and to the peers' environment if Python is one of them.
pub(crate) fn setup(workspace: &Workspace, tools: &[Tool]) -> Outcome {
    let missing: Vec<&Tool> = tools.iter().filter(|tool| !works(tool)).collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    if tools.iter().any(|tool| tool.program == PYTHON.program)
        && std::env::var_os(PEERS_VARIABLE).is_none()
    {
        return environment(workspace);
    }
    Ok("all tools are there".into())
}

fn works(tool: &Tool) -> bool {
    run::succeeds(Command::new(tool.program).args(tool.probe))
}

fn install(missing: &[&Tool]) -> Result<(), Failure> {
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|tool| tool.packages)
        .copied()
        .collect();
    let wanted = format!("apt-get install -y {}", packages.join(" "));
    for tool in missing {
        println!(
            "{} is missing or incomplete; it {}",
            tool.program, tool.purpose
        );
    }
    let Some(prefix) = privilege() else {
        return Err(Failure::new(format!(
            "this needs rights that are not here; run once: sudo {wanted}"
        )));
    };
    println!("{wanted}");
    if !run::succeeds(apt(prefix, "install").args(&packages)) {
        // A fresh machine has no package lists yet.
        run::status(&mut apt(prefix, "update"))?;
        run::status(apt(prefix, "install").args(&packages))?;
    }
    match missing.iter().find(|tool| !works(tool)) {
        None => Ok(()),
        Some(tool) => Err(Failure::new(format!(
            "`{} {}` still fails after {wanted}; is another {} first on the PATH?",
            tool.program,
            tool.probe.join(" "),
            tool.program
        ))),
    }
}

/// The words in front of apt-get, or nothing if it may not be called.
fn privilege() -> Option<&'static [&'static str]> {
    if !run::succeeds(Command::new("apt-get").arg("--version")) {
        return None;
    }
    if run::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0") {
        return Some(&["env"]);
    }
    run::succeeds(Command::new("sudo").args(["-n", "true"])).then_some(&["sudo", "-n", "env"])
}

fn apt(prefix: &[&str], verb: &str) -> Command {
    let mut words = prefix.iter();
    let mut command = Command::new(words.next().copied().unwrap_or("env"));
    command
        .args(words)
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"])
        .args(["--no-install-recommends", verb]);
    command
}

fn environment(workspace: &Workspace) -> Outcome {
    let folder = workspace.path("target/peers");
    let failed = |error| Failure::new(format!("target/peers: {error}"));
    fs::create_dir_all(&folder).map_err(failed)?;
    // Two runs at once (a desk and an editor) must not build the same environment twice.
    let lock = File::create(folder.join("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;

    let wanted = format!(
        "{}{}",
        run::output(Command::new("python3").arg("--version"))?,
        workspace.read(PEERS)?
    );
    let (venv, stamp) = (folder.join("venv"), folder.join("stamp"));
    let python = venv.join("bin/python");
    let same = fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == wanted);
    if same && run::succeeds(Command::new(&python).args(["-c", ""])) {
        return Ok("the test peers are there".into());
    }
    build(workspace.root(), &venv, &python)?;
    fs::write(&stamp, wanted).map_err(failed)?;
    Ok("the test peers are installed in target/peers".into())
}

fn build(root: &Path, venv: &Path, python: &Path) -> Result<(), Failure> {
    println!("installing the test peers of {PEERS}");
    let mut create = Command::new("python3");
    run::status(create.args(["-m", "venv", "--clear"]).arg(venv))?;
    let mut pip = Command::new(python);
    pip.current_dir(root);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    run::status(pip.args(["--requirement", PEERS]))
}
