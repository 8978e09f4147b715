//! Who was turned away at the socket: counted by user, and told with the next seal.

use evidence::MonoNs;
use ipc::message::TurnedAway;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Users that are counted apart; all others are counted together.
const USERS_MAX: usize = 16;
/// Stands for all others.
const OTHERS: u64 = 1 << 32;

/// What callers of one user did.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    refused: u64,
    malformed: u64,
    rotations: u64,
    steps: u64,
}

/// The counts since the signer was started.
#[derive(Debug)]
pub(crate) struct Door {
    began: MonoNs,
    known: Mutex<BTreeMap<u64, Counts>>,
}

impl Door {
    /// Nobody came yet.
    pub(crate) fn new(began: MonoNs) -> Self {
        Self {
            began,
            known: Mutex::default(),
        }
    }

    /// When the signer was started.
    pub(crate) const fn began(&self) -> MonoNs {
        self.began
    }

    /// A caller of this user was turned away.
    pub(crate) fn turn_away(&self, uid: u32) {
        self.count(uid, |counts| &mut counts.refused);
    }

    /// Bytes of this user were no request.
    pub(crate) fn malformed(&self, uid: u32) {
        self.count(uid, |counts| &mut counts.malformed);
    }

    /// This user asked for new keys too often.
    pub(crate) fn rotated_enough(&self, uid: u32) {
        self.count(uid, |counts| &mut counts.rotations);
    }

    /// This user asked for steps of the counter of firmware versions too often.
    pub(crate) fn stepped_enough(&self, uid: u32) {
        self.count(uid, |counts| &mut counts.steps);
    }

    fn count(&self, uid: u32, of: impl FnOnce(&mut Counts) -> &mut u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let uid = u64::from(uid);
        let key = match known.contains_key(&uid) || known.len() < USERS_MAX {
            true => uid,
            false => OTHERS,
        };
        let count = of(known.entry(key).or_default());
        *count = count.saturating_add(1);
    }

    pub(crate) fn told(&self) -> Vec<TurnedAway> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let all = known.iter();
        all.map(|(uid, counts)| TurnedAway {
            uid: *uid,
            count: counts.refused,
            malformed: counts.malformed,
            rotations: counts.rotations,
            firmware_steps: counts.steps,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Door, MonoNs, OTHERS, USERS_MAX};

    //= A6.7
    #[test]
    fn callers_are_counted_by_user_and_beyond_a_bound_together() {
        let door = Door::new(MonoNs(1));
        let most = u32::try_from(USERS_MAX).unwrap();
        for uid in (0..most + 5).chain([3, most + 9]) {
            door.turn_away(uid);
        }
        door.malformed(3);
        door.malformed(most + 10);
        door.rotated_enough(3);
        door.stepped_enough(3);
        door.stepped_enough(3);
        let told = door.told();
        assert_eq!(told.len(), USERS_MAX + 1);
        let of = |uid: u64| {
            let one = told.iter().find(|one| one.uid == uid).unwrap();
            (one.count, one.malformed, one.rotations, one.firmware_steps)
        };
        assert_eq!(
            [of(0), of(3), of(OTHERS)],
            [(1, 0, 0, 0), (2, 1, 1, 2), (6, 1, 0, 0)]
        );
    }
}
