//! Codes of time: what a stamp may claim, and why a clock is not what it was.

use crate::codes::codes;

codes! {
    /// How good the clock behind a timestamp was at the instant of capture (A8.4).
    pub enum TimeQuality as "time-quality" {
        RtcOnly = 0, "RTC_ONLY", "the node's own clock, never confirmed by a source since boot";
        Synced = 1, "SYNCED", "a fresh measurement against a source held the clock within its bound";
        Holdover = 2, "HOLDOVER", "synchronised before, now carried by the oscillator alone";
    }
}

codes! {
    /// State of the clock's servo, as time-critical entries report it (R11.3).
    pub enum TimeStatus as "time-status" {
        Locked = 0, "locked", "disciplined by a source with fresh measurements";
        Acquiring = 1, "acquiring", "a source is heard but the clock has not settled on it";
        Holdover = 2, "holdover", "the source is lost and the error bound grows";
        FreeRun = 3, "free-run", "no source has disciplined the clock since boot";
    }
}

codes! {
    /// Magnitude of the clock's offset from its source.
    pub enum OffsetBucket as "offset-bucket" {
        Below1Us = 0, "<1us", "below one microsecond";
        Below10Us = 1, "<10us", "below ten microseconds";
        Below100Us = 2, "<100us", "below a hundred microseconds";
        Below1Ms = 3, "<1ms", "below one millisecond";
        Below10Ms = 4, "<10ms", "below ten milliseconds";
        Below100Ms = 5, "<100ms", "below a hundred milliseconds";
        Below1S = 6, "<1s", "below one second";
        FromOneS = 7, ">=1s", "one second or more";
    }
}

codes! {
    /// How much of the error that the site allows is used up by the error bound (A8.3).
    pub enum DriftBudget as "drift-budget" {
        Below10Percent = 0, "<10%", "below a tenth of what the site allows";
        Below50Percent = 1, "<50%", "below half of what the site allows";
        Below80Percent = 2, "<80%", "below four fifths of what the site allows";
        Below100Percent = 3, "<100%", "still within what the site allows";
        Spent = 4, "spent", "no longer within what the site allows, or not known to be";
    }
}

codes! {
    /// Why the clock runs without a source.
    pub enum HoldoverReason as "holdover-reason" {
        NeverSynchronised = 0, "never_synchronised", "no source has been heard since boot";
        SourceLost = 1, "source_lost", "no source gave a fresh measurement in time";
        SourceRejected = 2, "source_rejected", "the source is heard but not believed";
        TimePlaneSilent = 3, "time_plane_silent", "the time process ended or has not renewed its statement, and nothing was measured since";
        TimePlaneAbsent = 4, "time_plane_absent", "the time process has not spoken since start";
        ClockStepped = 5, "clock_stepped", "the clock was set and has not been confirmed since";
        BeyondLimit = 6, "beyond_limit", "measurements are fresh, and their error bound is wider than the site allows";
    }
}

codes! {
    /// Why the clock moved, or why a source of time is not what it was (R1.2, A8.5).
    pub enum TimeCause as "time-cause" {
        Unexplained = 0, "unexplained", "no source moved, no daemon corrected, nobody said so: nothing seen explains it";
        SetByProgram = 1, "set_by_program", "a program or person set the clock; no source had asked for it";
        DaemonCorrection = 2, "daemon_correction", "the daemon corrected what it had measured before";
        GrandmasterStep = 3, "grandmaster_step", "the grandmaster's own time jumped";
        GrandmasterDrift = 4, "grandmaster_drift", "the grandmaster's own time runs off";
        GrandmasterChange = 5, "grandmaster_change", "another grandmaster is followed";
        ClockClass = 6, "clock_class", "the grandmaster's own statement about its clock changed";
        UtcOffset = 7, "utc_offset", "whole seconds: the offset between TAI and UTC";
        LeapSecond = 8, "leap_second", "a leap second";
        PathAsymmetry = 9, "path_asymmetry", "the path's delay changed, in one direction more than in the other or not at all: this cannot be told from one source";
        EventPathLoss = 10, "event_path_loss", "Sync does not arrive, other messages of the grandmaster do";
        GeneralPathLoss = 11, "general_path_loss", "Announce and Follow_Up do not arrive, Sync does";
        PacketLoss = 12, "packet_loss", "a part of the messages does not arrive";
        GrandmasterSilent = 13, "grandmaster_silent", "nothing arrives from the grandmaster";
        LinkDown = 14, "link_down", "the port's link is down";
        DaemonGone = 15, "daemon_gone", "the daemon did not answer";
        SourceSilent = 16, "source_silent", "none of the daemon's sources gives it a time";
        MachineSlept = 17, "machine_slept", "the machine was suspended";
        HeadEnd = 18, "head_end", "a time that a master or the head-end sent was taken";
        BootClock = 19, "boot_clock", "the clock that the machine booted with";
        ClassImproved = 20, "class_improved", "the grandmaster's own statement about its clock became better";
        RtcSet = 21, "rtc_set", "a program or person set the real-time clock back, or it went wrong";
        RtcRanOn = 22, "rtc_ran_on", "the machine stood still unseen, as a paused guest does, or somebody set the real-time clock forward: this cannot be told from it";
        SamplesRefused = 23, "samples_refused", "the daemon hears its sources and does not correct the clock by them: samples too noisy, or in contradiction";
        SourceStep = 24, "source_step", "the time of the source that the daemon follows jumped";
        OfferUntrusted = 32, "offer_untrusted", "the contract does not take the time from this sender";
        OfferUncertain = 33, "offer_uncertain", "the offered time is less certain than the contract asks";
        OfferTooSoon = 34, "offer_too_soon", "the sender offers the time more often than the contract allows";
        OfferStale = 35, "offer_stale", "the offered time came too late, or is of an instant that has not been";
        OfferBeforeFloor = 36, "offer_before_floor", "the offered time lies before what is already in the log, or before this version was made";
        OfferTooFar = 37, "offer_too_far", "the offered time is further from the node's clock than the contract allows";
        OfferContradicts = 38, "offer_contradicts", "the offered time contradicts a source that is measured";
        OfferDisputed = 39, "offer_disputed", "offered times contradict each other and no majority decides: none of them is taken";
    }
}
