//! Codes of keys: where they live, what they are bound to, what is wrong with what holds them.

use crate::codes::codes;

codes! {
    /// Where the keys that signed live, as it was found when their store was opened.
    pub enum Custody as "custody" {
        Software = 0, "software", "in files of the host: for development, proves no custody";
        Tpm = 1, "tpm", "in a TPM 2.0 that says it is a chip and has an endorsement certificate; that the key is beside it was not proven";
        Pkcs11 = 2, "pkcs11", "in a PKCS#11 token that says it is hardware, which nothing proves";
        TpmUnproven = 3, "tpm-unproven", "in what says it is a TPM 2.0, without an endorsement certificate: proves no custody";
        TpmEmulated = 4, "tpm-emulated", "in a TPM 2.0 that is a program: its state is a file, proves no custody";
        Pkcs11Emulated = 5, "pkcs11-emulated", "in a PKCS#11 token that is a program: its state is a file, proves no custody";
    }
}

codes! {
    /// The counters of a TPM that checkpoints are bound to.
    pub enum CounterKind as "counter-kind" {
        Orderly = 0, "orderly", "moves with each checkpoint, mostly in memory; skips up to 255 where power is cut";
        Plain = 1, "plain", "moves at boot and then seldom, always in flash; skips nothing";
    }
}

codes! {
    /// What is wrong with what holds the keys.
    pub enum KeyFault as "key-fault" {
        SignerAbsent = 0, "signer_absent", "the signer's process does not answer";
        Unavailable = 1, "unavailable", "the device or the socket of the store is not there, or its module does not begin";
        Slow = 2, "slow", "the store did not answer in time";
        Failed = 3, "failed", "the store answered that it cannot, or with what makes no sense";
        LockedOut = 4, "locked_out", "the store takes no authorisation for a while, after wrong ones";
        WrongPin = 5, "wrong_pin", "the store refused the PIN; it is not tried again before a restart";
        TokenMissing = 6, "token_missing", "no slot has the token";
        KeyReplaced = 7, "key_replaced", "the store has not the key that this log is signed with";
        CounterUndefined = 8, "counter_undefined", "the store has not the counter that checkpoints are bound to";
        Refused = 9, "refused", "the signer refused the statement: the log went back, or another asks";
        RolledBack = 10, "rolled_back", "the log is not the one that went before, as an entry says: this generation is sealed no more";
        NoAnswer = 11, "no_answer", "the signer took the request and did not answer in time: its store is slow with each command, or it hangs";
        OtherKeys = 12, "other_keys", "who answers as the signer has other keys than those of this log, or does not sign with them what it says: nothing is asked of it";
    }
}

codes! {
    /// In what way a log is not the one that went before, or what it is bound to is not.
    pub enum RollbackAlarm as "rollback-alarm" {
        OlderImage = 0, "older_image", "log and signer agree, and the counter or the collector is ahead of both: an older image of the whole disk was put here";
        ClonedImage = 1, "cloned_image", "another copy of this log goes on: this one is with another key store, or the counter is moved by somebody else, or the collector has another branch";
        TruncatedLog = 2, "truncated_log", "the signer has signed more of the log, or another: the log alone was cut, or an older one was put here";
        ReplacedCounter = 3, "replaced_counter", "the counter is not the one that the log is bound to, or an older copy of it; or the store was exchanged while the node ran";
        LostEnd = 4, "lost_end", "the truth store names entries at the end that are not there: the end was cut off, or its medium lost it; LOSS entries name them";
    }
}

codes! {
    /// Who knows better than the log.
    pub enum RollbackWitness as "rollback-witness" {
        Start = 0, "start", "this node, before the first seal of a run";
        Running = 1, "running", "this node, later in a run";
        Collector = 2, "collector", "the collector, whose answer contradicts the log";
    }
}

codes! {
    /// What a registrar had proved to it when it took keys in.
    pub enum EnrolmentProof as "enrolment-proof" {
        Possession = 0, "possession", "who asked holds the keys, whatever holds them: where they live is the node's own word";
        Credential = 1, "credential", "the authority is in the TPM that the endorsement certificate is of: only that TPM could open what was sealed to both";
    }
}

impl KeyFault {
    /// Whether what holds the keys was there, was asked to sign and did not. A store that is not there or does not begin was never asked, nor
    /// was one behind a signer that is not there, does not answer or has other keys; a statement that was refused was never given to it.
    #[must_use]
    pub const fn is_failed_signature(self) -> bool {
        match self {
            Self::Slow
            | Self::Failed
            | Self::LockedOut
            | Self::WrongPin
            | Self::KeyReplaced
            | Self::CounterUndefined => true,
            Self::SignerAbsent
            | Self::Unavailable
            | Self::TokenMissing
            | Self::Refused
            | Self::RolledBack
            | Self::NoAnswer
            | Self::OtherKeys => false,
        }
    }

    /// What a person does about it, the likeliest first.
    #[must_use]
    pub const fn cure(self) -> &'static str {
        match self {
            Self::SignerAbsent => {
                "the supervisor starts the signer again, and logs/signer.log says why it ended; with --signer whoever started it has to"
            }
            Self::NoAnswer => {
                "look at the device, which may be slow with each command; if it is quick, the signer hangs: see logs/signer.log"
            }
            Self::Unavailable => {
                "look at the device, or where a module does not begin at what its sandbox allows it (--allow, docs/keys.md): the signer \
                 tries again at each seal"
            }
            Self::Slow | Self::Failed => "look at the device: the signer tries again at each seal",
            Self::LockedOut => {
                "wait until the store takes authorisations again; who locked it out?"
            }
            Self::WrongPin => "put the right PIN into its file and restart the node",
            Self::TokenMissing => {
                "put the token back; where it is in its place, let its module to all that it reads (`allow` of identity/store.toml, docs/keys.md)"
            }
            Self::KeyReplaced => {
                "put the store back that holds the log's key, or begin a new log with an identity of its own"
            }
            Self::OtherKeys => {
                "see who serves the signer's socket, and start the signer that has this log's keys (identity/keys.vkey); where they are \
                 lost, `fieldnotary adopt` begins a new generation with others"
            }
            Self::CounterUndefined => {
                "define the counter again and move it on once, as docs/keys.md says"
            }
            Self::Refused => {
                "see what the signer refused: in logs/signer.log, or with --signer in the log of whoever started it"
            }
            Self::RolledBack => {
                "see the rollback, which says what to do: put the newest disk back if there is one, else `fieldnotary adopt` begins a new generation"
            }
        }
    }
}

impl RollbackAlarm {
    /// Whether the generation is sealed no more: what it would sign contradicts what went before. The other two leave a
    /// log that is whole, or says itself what it lacks.
    #[must_use]
    pub const fn ends_seals(self) -> bool {
        match self {
            Self::OlderImage | Self::ClonedImage | Self::TruncatedLog => true,
            Self::ReplacedCounter | Self::LostEnd => false,
        }
    }

    /// What a person does about it, the mildest first: a new generation leaves behind what a newer disk still has.
    #[must_use]
    pub const fn cure(self) -> &'static str {
        match self {
            Self::OlderImage => {
                "is there a newer disk of this node? Put it back, and the log goes on from it; only where there is none, \
                 `fieldnotary adopt DIR --cause conflict --reason TEXT` begins a new generation"
            }
            Self::ClonedImage => {
                "stop the node that must not run; where the one that is to go on says this too, `fieldnotary adopt DIR --cause \
                 conflict --reason TEXT` begins a new generation there"
            }
            Self::TruncatedLog => {
                "put the newest journal back; only where there is none, `fieldnotary adopt DIR --cause conflict --reason TEXT` begins \
                 a new generation"
            }
            Self::ReplacedCounter => {
                "who changed the counter? The log is whole, and is sealed on; verdicts fail by it until `fieldnotary adopt DIR --cause \
                 conflict --reason TEXT` begins a new generation"
            }
            Self::LostEnd => "LOSS entries name what is gone; look at the medium",
        }
    }
}

impl Custody {
    /// Whether the store is hardware by its own word. A program is never, whatever it says.
    #[must_use]
    pub const fn is_hardware(self) -> bool {
        match self {
            Self::Tpm | Self::Pkcs11 => true,
            Self::Software | Self::TpmUnproven | Self::TpmEmulated | Self::Pkcs11Emulated => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Custody, RollbackAlarm};

    /// Whoever reads only the first words of a cure loses nothing by it.
    //= A6.4
    #[test]
    fn a_newer_disk_comes_before_a_new_generation() {
        for alarm in [RollbackAlarm::OlderImage, RollbackAlarm::TruncatedLog] {
            let cure = alarm.cure();
            let (back, adopt) = (cure.find("back").unwrap(), cure.find("adopt").unwrap());
            assert!(back < adopt, "{alarm}: {cure}");
        }
    }

    //= A6.2
    #[test]
    fn what_proves_no_custody_is_never_hardware() {
        for custody in Custody::ALL {
            let none = custody.meaning().contains("proves no custody");
            assert_eq!(custody.is_hardware(), !none, "{custody}");
        }
    }
}
