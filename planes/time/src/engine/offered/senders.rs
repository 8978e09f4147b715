//! What is told of each sender: every verdict when it is new, then now and then with a count.

use super::{OfferSource, OfferVerdict};
use crate::engine::news::{News, span};
use crate::limits::{OFFER_SENDERS_MAX, OFFER_TOLD_AGAIN_NS, OFFER_TOLD_PAUSE_NS};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use evidence::MonoNs;
use evidence::reasons::TimeCause;

/// Who stands for all senders that found no room, and for offers that were lost.
const OTHERS: &str = "others";

/// One offer, as it is told.
pub(super) struct Heard<'a> {
    pub(super) name: &'a str,
    /// The node's clock minus the offered time.
    pub(super) offset_ns: i128,
    pub(super) uncertainty_ns: u64,
    /// What the contract says of the sender.
    pub(super) source: Option<&'a OfferSource>,
    /// Who contradicts it.
    pub(super) against: Option<&'a str>,
}

/// What was told of one sender.
#[derive(Clone, Debug, Default)]
struct Sender {
    name: String,
    /// The newest verdict that was told, and when.
    told: Option<(OfferVerdict, MonoNs)>,
    /// When each verdict was told last, and offers since.
    of: Vec<(OfferVerdict, Option<MonoNs>, u64)>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Senders(Vec<Sender>);

impl Senders {
    /// Tells of an offer, where that is due.
    pub(super) fn tell(
        &mut self,
        now: MonoNs,
        heard: &Heard<'_>,
        verdict: OfferVerdict,
        news: &mut News,
    ) {
        let sender = self.of(heard.name);
        let Some(count) = sender.due(now, verdict, 1) else {
            return;
        };
        let name = sender.name.clone();
        news.offer(now, &name, verdict, count, words(heard, verdict));
    }

    /// Offers that were lost before anybody judged them.
    pub(super) fn lost(&mut self, now: MonoNs, count: u64, news: &mut News) {
        let sender = self.of(OTHERS);
        if let Some(count) = sender.due(now, OfferVerdict::TooSoon, count) {
            let words = format!("{count} offered times were dropped unread: too many waited");
            news.offer(now, OTHERS, OfferVerdict::TooSoon, count, words);
        }
    }

    /// How many have a place of their own.
    fn named(&self) -> usize {
        self.0.iter().filter(|of| of.name != OTHERS).count()
    }

    fn of(&mut self, name: &str) -> &mut Sender {
        let known = |of: &Sender, name: &str| of.name == name;
        let name = match self.0.iter().any(|of| known(of, name)) {
            true => name,
            false if self.named() < OFFER_SENDERS_MAX => name,
            false => OTHERS,
        };
        let place = match self.0.iter().position(|of| known(of, name)) {
            Some(place) => place,
            None => {
                self.0.push(Sender {
                    name: name.to_string(),
                    ..Sender::default()
                });
                self.0.len() - 1
            }
        };
        self.0
            .get_mut(place)
            .expect("the place was found or made just now")
    }
}

impl Sender {
    /// Counts offers; how many there were since the last telling, where one is due: a verdict that was not
    /// told for an hour, or another one than the last, but not more than one a minute of those.
    fn due(&mut self, now: MonoNs, verdict: OfferVerdict, count: u64) -> Option<u64> {
        if !self.of.iter().any(|(of, ..)| *of == verdict) {
            self.of.push((verdict, None, 0));
        }
        let (_, told, counted) = self.of.iter_mut().find(|(of, ..)| *of == verdict)?;
        *counted = counted.saturating_add(count);
        let again = told.is_none_or(|told| now.since(told) >= OFFER_TOLD_AGAIN_NS);
        let other = self
            .told
            .is_none_or(|(last, told)| last != verdict && now.since(told) >= OFFER_TOLD_PAUSE_NS);
        if !again && !other {
            return None;
        }
        *told = Some(now);
        self.told = Some((verdict, now));
        Some(core::mem::take(counted))
    }
}

/// An offer in words: who, how far off, and what the contract or the others say against it.
fn words(heard: &Heard<'_>, verdict: OfferVerdict) -> String {
    let Heard { name, against, .. } = heard;
    let off = format!(
        "the node's clock is {} {} of it, known to {}",
        span(heard.offset_ns.unsigned_abs()),
        if heard.offset_ns < 0 {
            "behind"
        } else {
            "ahead"
        },
        span(heard.uncertainty_ns.into()),
    );
    let allowed = |of: fn(&OfferSource) -> u64| heard.source.map_or(0, of);
    let why = match verdict {
        OfferVerdict::Taken => return format!("{name}: {off}"),
        OfferVerdict::Uncertain => format!(
            "at most {} is allowed",
            span(allowed(|of| of.uncertainty_max_ns).into())
        ),
        OfferVerdict::TooSoon => format!(
            "one in {} is allowed",
            span(allowed(|of| of.pause_min_ns).into())
        ),
        OfferVerdict::TooFar => format!(
            "at most {} is allowed",
            span(allowed(|of| of.offset_max_ns).into())
        ),
        OfferVerdict::Contradicts | OfferVerdict::Disputed => {
            format!("{} says otherwise", against.unwrap_or("another source"))
        }
        OfferVerdict::Untrusted => "time.offered names the senders that are trusted".to_string(),
        OfferVerdict::Stale | OfferVerdict::BeforeFloor => String::new(),
    };
    let meaning = verdict.cause().map_or("", TimeCause::meaning);
    let why = match why.is_empty() {
        true => why,
        false => format!("; {why}"),
    };
    format!("{name}: {meaning}; {off}{why}")
}
