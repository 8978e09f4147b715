//! Every threshold and bound of the time plane, with the reason for its size.

/// A difference between UTC and monotonic time that moves by more than this was a step: slewing moves both.
/// Below it, reading two clocks one after the other is too coarse to tell.
pub const STEP_THRESHOLD_NS: u64 = 1_000_000;
/// The fastest slew that the kernel's own clock discipline makes, in parts per billion: no measured drift of a
/// clock that is steered is believed to be more.
pub const SLEW_PPB_MAX: u64 = 500_000;
/// A sample whose two readings are further apart than this says too little and is not used.
pub const READ_UNCERTAINTY_NS_MAX: u64 = 250_000;
/// How often the map becomes an entry while nothing changes.
pub const JOURNAL_INTERVAL_NS: u64 = 3_600_000_000_000;

/// A measurement is fresh for as many of its source's intervals.
pub const FRESH_INTERVALS: u64 = 5;
/// And at least for so long.
pub const FRESH_NS_MIN: u64 = 1_000_000_000;
/// And at most for so long, where that is two and a half of the source's intervals.
pub const FRESH_NS_MAX: u64 = 655_360_000_000;
/// A master may be followed for so long before somebody answers about the path's delay.
pub const PATH_ANSWER_NS: u64 = 20_000_000_000;
/// And an answer serves for so long: the standard's longest interval of Delay_Req is 2^5 s, and four of them may be lost.
pub const PATH_FRESH_NS: u64 = 160_000_000_000;
/// How far an ingress may lie outside the two looks that it was seen between.
pub const INGRESS_SLACK_NS: u64 = 50_000_000;
/// An offset so near to whole seconds is a mistake about TAI and UTC, not a clock that is off.
pub const UTC_OFFSET_NEAR_NS: u64 = 20_000_000;
/// The shortest interval that is believed of chronyd.
pub const CHRONY_INTERVAL_NS_MIN: u64 = 250_000_000;
/// The longest: chronyd asks every 2^10 seconds where nobody says otherwise, and a claim outlives its last
/// measurement by two and a half of these at most.
pub const CHRONY_INTERVAL_NS_MAX: u64 = 1_024_000_000_000;
/// Fresh measurements in a row, of one source and identity, before a clock counts as settled.
pub const SETTLED_MEASUREMENTS: u32 = 4;
/// So many offsets in a row that stay where they are show that the clock is steered: a clock that runs away
/// is that far from where it was by then, whatever its noise.
pub const STEADY_MEASUREMENTS_MIN: u32 = 10;
/// They are compared with what they were so long ago, up to twice as long.
pub const STEADY_WINDOW_NS: u64 = 1_024_000_000_000;
/// Offsets that moved by more than so many times the mean distance of one to the next ran away,
pub const STEADY_NOISE_FACTOR: u64 = 4;
/// the mean taken over so many,
pub const STEADY_NOISE_OF: u64 = 16;
/// and by more than this.
pub const STEADY_FLOOR_NS: u64 = 5_000;
/// A source of chronyd jumped by more than this beyond what two measurements allow: less is what its network does.
pub const SOURCE_STEP_NS_MIN: u64 = 1_000_000;
/// How far it jumped in all is followed for so long, until two figures in a row are alike.
pub const SOURCE_MOVE_NS_MAX: u64 = 600_000_000_000;
/// A daemon that has said as many new frequencies, while the kernel's stayed, leaves the clock alone.
pub const IDLE_CHANGES_MIN: u32 = 3;
/// Two sources whose claims are nearer than this do not exclude each other: so far apart may two looks be.
pub const DISPUTE_MARGIN_NS: u64 = 20_000;

/// Values of offset or delay that are compared: so many at most, and so many without a movement end a drift,
pub const MOTION_POINTS_MAX: usize = 32;
/// and so many at least.
pub const MOTION_POINTS_MIN: usize = 8;
/// The first of them are passed over.
pub const MOTION_PASSED: usize = 8;
/// A movement below this is noise, whatever the values' own spread.
pub const MOTION_FLOOR_NS: u64 = 5_000;
/// How long an offset that moved waits for the path delay to say whether the path moved: ptp4l gives the
/// delay as a median of its last ten, a second apart.
pub const MOTION_WAIT_NS: u64 = 12_000_000_000;
/// Where delays are measured faster, so many of them say it as well: the median of ten has moved with six, and
/// the newest of four stretches of the values with another five.
pub const MOTION_DELAYS: u64 = 11;
/// But no sooner than this: what goes on is a drift and no jump, and what comes back was none.
pub const MOTION_SETTLES_NS: u64 = 6_000_000_000;
/// The stretch over which messages are counted against their pace.
pub const FLOW_WINDOW_NS: u64 = 6_000_000_000;
/// Messages have stopped when so many intervals pass without one,
pub const FLOW_STOPPED_INTERVALS: u64 = 5;
/// and at least this long.
pub const FLOW_STOPPED_NS_MIN: u64 = 1_000_000_000;
/// Where some are lost already, a silence is an end once it is less likely than one in so many by chance,
pub const FLOW_CHANCE_OF: u64 = 1_000_000;
/// and however many are lost, after so many intervals.
pub const FLOW_STOPPED_INTERVALS_MAX: u64 = 64;
/// More missing of those promised than this, in percent, is a loss; fewer than half of it is none any more.
pub const FLOW_LOST_PERCENT: u64 = 8;
/// A loss of some is over when nothing shows it for so long: five stretches that share no message.
pub const FLOW_CALM_NS: u64 = 30_000_000_000;
/// A port that has just come up, or whose daemon has just begun, may listen so long before that is called a
/// silent grandmaster: ptp4l waits for three Announces, which are two seconds apart where nobody says else.
pub const PORT_SETTLES_NS: u64 = 10_000_000_000;
/// The shortest stretch from which a pace is told.
pub const PACE_WINDOW_NS: u64 = 4_000_000_000;
/// A pace that stays slower for so long is the new one.
pub const PACE_SLOWER_NS: u64 = 60_000_000_000;
/// Two figures that differ by less than this are the same when a movement is compared with a measurement.
pub const ATTRIBUTION_FLOOR_NS: u64 = 100_000;
/// A shorter sleep than this explains no movement.
pub const SLEPT_NS_MIN: u64 = 1_000_000;

/// Who is SYNCED keeps it until the bound is this much of the site's limit, in percent.
pub const RELEASE_PERCENT: u64 = 125;
/// The stretch over which slewing is compared with its budget.
pub const SLEW_WINDOW_NS: u64 = 10_000_000_000;
/// What slewing may move the clock by in that stretch, beyond the frequency correction in force.
pub const SLEW_BUDGET_NS: u64 = 1_000_000;
/// How long a change of the clock's rate takes to count as its steady rate.
pub const STEADY_RATE_NS: u64 = 60_000_000_000;
/// So many events about one thing are told as they come,
pub const EVENTS_AT_ONCE: u64 = 32;
/// then one in this time: the newest, with the number of the others. A source that flaps does not fill the ring.
pub const EVENT_EVERY_NS: u64 = 300_000_000_000;
/// Losses of SYNCED in this time count against whoever is to be believed again,
pub const LOSSES_WINDOW_NS: u64 = 600_000_000_000;
/// the first of them not,
pub const LOSSES_FREE: usize = 2;
/// and no more than these: each doubles how many measurements settle a clock.
pub const LOSSES_MAX: usize = 7;
/// A process that has just begun is given so long to hear of a source before a source is called lost.
pub const BEGINNING_NS: u64 = 10_000_000_000;
/// Events that wait for the next statement.
pub const EVENTS_WAITING_MAX: usize = 64;
/// Times from outside that wait to be handed to the daemon.
pub const OFFERS_WAITING_MAX: usize = 8;
/// The name by which chronyd's reports know the reference clock that we feed: `refid` of its `refclock` line.
pub const REFCLOCK_ID: [u8; 4] = *b"FNTY";
/// An offered time that is of an instant longer ago than this is refused: it waited somewhere.
pub const OFFER_LATE_NS_MAX: u64 = 10_000_000_000;
/// An offered time may be of an instant so far behind the last look at the clocks, for it comes in between.
pub const OFFER_AHEAD_NS_MAX: u64 = 2_000_000_000;
/// Senders of whom is told by name; the others share one.
pub const OFFER_SENDERS_MAX: usize = 16;
/// A verdict that goes on is told again this often, with a count.
pub const OFFER_TOLD_AGAIN_NS: u64 = 3_600_000_000_000;
/// Verdicts that change to and fro are told at most this often.
pub const OFFER_TOLD_PAUSE_NS: u64 = 60_000_000_000;
/// After a reference clock took nothing it is tried again so much later,
pub const HANDOVER_PAUSE_NS_FIRST: u64 = 1_000_000_000;
/// then twice as long each time, up to this.
pub const HANDOVER_PAUSE_NS_MAX: u64 = 60_000_000_000;
/// Ports of one ptp4l; a clock with more is refused, not read in part.
pub const PTP_PORTS_MAX: usize = 32;
/// Sources of one chronyd; with more than these it is refused, not read in part.
pub const CHRONY_SOURCES_MAX: u32 = 32;
/// How far a real-time clock runs from `CLOCK_MONOTONIC` at most between two looks, in parts per billion:
/// what was found of the turn of its second is widened by this.
pub const RTC_DRIFT_PPB_MAX: u64 = 200_000;
/// The turn of a real-time clock's second need not be known better than this.
pub const RTC_TURN_KNOWN_NS: u64 = 1_000_000;
/// Lags at which the oscillator's wander is learnt: powers of two of a second, from 1 s to 36 h.
pub const LAGS: usize = 18;
/// How many windows of each lag are under way at the same time.
pub const LAG_OVERLAP: u64 = 4;
/// Windows over which the frequency is averaged for a reference, as powers of two of a second: from a
/// minute, which still follows the sun, to four and a half hours, which averages a noisy source.
pub const REFERENCE_LOG2_S: [u32; 5] = [6, 8, 10, 12, 14];
/// Distance of the marks from which such averages are taken, in seconds.
pub const MARK_S: u64 = 16;
/// Marks kept: the longest window and one to begin with.
pub const MARKS_MAX: usize = 1_025;
/// Samples further apart than this do not belong to one stretch: nobody knows what happened between.
pub const SERVO_GAP_NS: u64 = 64_000_000_000;
/// A frequency correction beyond this is not one of a working clock: ten percent is what the kernel's
/// tick allows.
pub const CORRECTION_PPT_MAX: i64 = 100_000_000_000;
/// A temperature outside of plus or minus this is not one of a working sensor.
pub const TEMPERATURE_MILLIDEGREES_MAX: i32 = 200_000;
/// A temperature serves for this long; the sensors are slow, and are asked less often than the clock.
pub const TEMPERATURE_FRESH_NS: u64 = 120_000_000_000;
/// Windows of one lag that count; behind this the older half of the memory fades.
pub const WINDOWS_MAX: f64 = 256.0;
/// Windows that the declared class counts for against those that were seen.
pub const CLASS_WINDOWS: f64 = 2.0;
/// How many standard deviations a bound spans.
pub const SPAN: f64 = 3.5;
/// A cell of the regression against temperature, in seconds.
pub const THERMAL_CELL_S: u64 = 1_024;
/// Pairs of cells without which no temperature coefficient is stated.
pub const THERMAL_CELLS_MIN: f64 = 8.0;
/// Days kept for the trend.
pub const DAYS_MAX: usize = 16;
/// Where no temperature is measured and no whole day was seen, a cabinet warms or cools this fast ...
pub const UNSEEN_SWING_MILLIDEGREES_PER_H: u32 = 3_000;
/// ... and this far.
pub const UNSEEN_SWING_MILLIDEGREES: u32 = 15_000;
/// A day: after it, the swings of temperature have been seen once.
pub const DAY_S: u64 = 86_400;
/// A real-time clock that drifts faster than this was set: a watch crystal is within 100 ppm when warm
/// and 250 ppm in deep frost.
pub const RTC_SET_PPB_MIN: u64 = 500_000;
/// Updates of chronyd that are kept to know its own moves by: as many as a stretch of slewing may hold.
pub const UPDATES_MAX: usize = 16;
/// How long a step waits for a daemon to say whether it made it: two looks at chronyd.
pub const STEP_ANSWER_NS: u64 = 2_000_000_000;
/// A real-time clock that was set and stands as near to the kernel's clock was set by it: it is set to whole
/// seconds, and not every clock begins a second when it is set.
pub const RTC_AGREES_NS: u64 = 1_000_000_000;
/// A reading of the real-time clock that is less certain says nothing: its second is its resolution.
pub const RTC_READ_UNCERTAINTY_NS_MAX: u64 = 1_000_000_000;
/// Distance of the readings of the real-time clock that are kept ...
pub const RTC_MARK_NS: u64 = 3_600_000_000_000;
/// ... and how many: a week.
pub const RTC_MARKS_MAX: usize = 169;
/// A part of the way to a durable entry that takes longer than its budget is told this often.
pub const OVER_BUDGET_TOLD_EVERY_NS: u64 = 60_000_000_000;
/// The shortest interval slot ...
pub const SLOT_NS_MIN: u64 = 1_000_000_000;
/// ... and the longest: a day.
pub const SLOT_NS_MAX: u64 = 86_400_000_000_000;
/// The longest day that is divided into slots: a zone that moves over the date line may repeat one.
pub const DAY_NS_MAX: u64 = 172_800_000_000_000;
