//! Who was turned away at the socket: counted by user, and told with the next seal.

use ipc::message::TurnedAway;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Users that are counted apart; all others are counted together.
const USERS_MAX: usize = 16;
/// Stands for all others.
const OTHERS: u64 = 1 << 32;

/// The counts since the signer was started.
#[derive(Debug, Default)]
pub(crate) struct Door(Mutex<BTreeMap<u64, u64>>);

impl Door {
    /// A caller of this user was turned away.
    pub(crate) fn turn_away(&self, uid: u32) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let uid = u64::from(uid);
        let key = match known.contains_key(&uid) || known.len() < USERS_MAX {
            true => uid,
            false => OTHERS,
        };
        let count = known.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn told(&self) -> Vec<TurnedAway> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = known.iter();
        all.map(|(uid, count)| TurnedAway {
            uid: *uid,
            count: *count,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Door, OTHERS, USERS_MAX};

    //= A6.7
    #[test]
    fn callers_are_counted_by_user_and_beyond_a_bound_together() {
        let door = Door::default();
        let most = u32::try_from(USERS_MAX).unwrap();
        for uid in (0..most + 5).chain([3, most + 9]) {
            door.turn_away(uid);
        }
        let told = door.told();
        assert_eq!(told.len(), USERS_MAX + 1);
        let of = |uid: u64| told.iter().find(|one| one.uid == uid).unwrap().count;
        assert_eq!((of(0), of(3), of(OTHERS)), (1, 2, 6));
    }
}
