//! Tests of the wording of numbers, durations and sizes.

use super::*;
use proptest::prelude::*;

#[test]
fn numbers_read_as_people_write_them() {
    assert_eq!(thousands(0), "0");
    assert_eq!(thousands(431_080), "431,080");
    assert_eq!(counted(1, "epoch", "epochs"), "1 epoch");
    assert_eq!(counted(0, "epoch", "epochs"), "0 epochs");
    assert_eq!(counted(60_000, "trial", "trials"), "60,000 trials");
    assert_eq!(count(9_999.0), "9,999");
    assert_eq!(count(41_230.0), "41.2 k");
    assert_eq!(count(999_700.0), "1.00 M");
    assert_eq!(count(3_210_000.0), "3.21 M");
    assert_eq!(count(f64::NAN), "?");
    assert_eq!(number(0.0312), "0.0312");
    assert_eq!(number(98.94), "98.9");
    assert_eq!(short(0.02), "0.02");
    assert_eq!(short(20.0), "20");
    assert_eq!(signed(-0.02), "−0.02");
    assert_eq!(gamma(Gamma(0.0)), "0.0");
    assert_eq!(gamma(Gamma(0.25)), "0.25");
    assert_eq!(reliability(0.9991), "0.999");
    assert_eq!(reliability(1.0), "1.00");
}

#[test]
fn trials_are_typed_as_people_write_them() {
    for (text, expected) in [
        ("4000000", Some(4_000_000)),
        ("4 000,000", Some(4_000_000)),
        ("4e6", Some(4_000_000)),
        ("2.5M", Some(2_500_000)),
        ("400k", Some(400_000)),
        ("", None),
        ("many", None),
        ("-3", None),
        ("+20k", None),
        ("M", None),
        ("4_000_000", Some(4_000_000)),
        ("3m", Some(3_000_000)),
        ("4K", Some(4_000)),
        ("1", Some(1)),
        ("0", None),
        ("1e15", None),
        ("4.7", None),
        ("1.0001k", None),
        ("2.3M", Some(2_300_000)),
        // Their products with a thousand and a million are not whole as rounded.
        ("4.02k", Some(4_020)),
        ("4.1M", Some(4_100_000)),
    ] {
        assert_eq!(parse_trials(text), expected, "{text}");
    }
}

#[test]
fn trials_with_a_plus_sign_are_in_addition() {
    for (text, expected) in [
        ("400k", Some(AskedTrials::Total(400_000))),
        ("+20k", Some(AskedTrials::More(20_000))),
        (" +2,000", Some(AskedTrials::More(2_000))),
        ("++20k", None),
        ("+-3", None),
        ("+", None),
        ("-20k", None),
    ] {
        assert_eq!(AskedTrials::parse(text), expected, "{text}");
    }
}

#[test]
fn times_show_two_units_at_most() {
    assert_eq!(duration(42.4), "42 s");
    assert_eq!(duration(130.0), "2 min 10 s");
    assert_eq!(duration(661.0), "11 min");
    assert_eq!(duration(7_500.0), "2 h 05 min");
    assert_eq!(duration(273_600.0), "3 d 4 h");
    assert_eq!(clock(2467.0), "00:41:07");
    assert_eq!(coarse(42.0), "under 1 min");
    assert_eq!(coarse(2467.0), "41 min");
    assert_eq!(coarse(7_500.0), "2 h");
    assert_eq!(rounded_count(9_860.0), "9,900");
    assert_eq!(rounded_count(41_230.0), "41.0 k");
    assert_eq!(age(7_300), "2 h ago");
}

#[test]
fn a_share_other_than_0_or_1_is_not_shown_as_either() {
    assert_eq!(percent(0.9749), "97.5 %");
    assert_eq!(percent(0.99999), "99.9 %");
    assert_eq!(percent(1.0), "100.0 %");
    assert_eq!(percent(0.000_01), "<0.1 %");
    assert_eq!(percent(0.0), "0.0 %");
    assert_eq!(percent_to(0.98854, 2), "98.85 %");
    // A share below half of the last digit has no digit to show.
    assert_eq!(percent(0.0007), "0.1 %");
    assert_eq!(percent(0.0004), "<0.1 %");
    assert_eq!(percent(0.0005), "0.1 %");
    assert_eq!(percent_to(0.99999, 2), "99.99 %");
    assert_eq!(percent_to(0.00001, 2), "<0.01 %");
    assert_eq!(percent(f64::NAN), "?");
}

#[test]
fn rates_and_learning_rates_have_two_digits_and_sizes_a_decimal() {
    assert_eq!(rate(9432.0, "trials"), "9,400 trials/s");
    assert_eq!(rate(412_345.0, "trials"), "410 k trials/s");
    assert_eq!(bytes(812), "812 B");
    assert_eq!(bytes(6_100_000), "6.1 MB");
    assert_eq!(learning_rate(0.000_731), "0.00073");
    assert_eq!(learning_rate(0.001), "0.0010");
    assert_eq!(learning_rate(1e-5), "1.0e-5");
}

proptest! {
    #[test]
    fn a_count_is_never_wider_than_six(value in 0_u64..1_000_000_000_000_000) {
        prop_assert!(count(value as f64).chars().count() <= 6, "{}", count(value as f64));
    }
}

#[test]
fn external_text_cannot_control_the_terminal() {
    assert_eq!(clean("a\x1b[2Jb\nc\u{202e}d"), "a?[2Jb c?d");
    assert_eq!(clean("\t\r\u{200b}\u{2066}\u{7f}\u{e9}"), "  ???\u{e9}");
}

#[test]
fn a_count_has_three_digits_on_both_sides_of_every_change_of_unit() {
    for (number, expected) in [
        (-3.0, "0"),
        (999.0, "999"),
        (1_000.0, "1,000"),
        (9_999.4, "9,999"),
        (9_999.5, "10.0 k"),
        (99_949.0, "99.9 k"),
        (99_950.0, "100 k"),
        (999_499.0, "999 k"),
        (999_500.0, "1.00 M"),
        (9_994_999.0, "9.99 M"),
        (9_995_000.0, "10.0 M"),
        (5.6e9, "5.60 G"),
        (7.25e13, "72.5 T"),
        (2e15, "2000 T"),
        (f64::INFINITY, "?"),
    ] {
        assert_eq!(count(number), expected, "{number}");
    }
    assert_eq!(thousands(1_000_000), "1,000,000");
    // Two digits.
    for (number, expected) in [
        (0.4, "0"),
        (7.0, "7"),
        (99.0, "99"),
        (104.0, "100"),
        (106.0, "110"),
        (995.0, "1,000"),
    ] {
        assert_eq!(rounded_count(number), expected, "{number}");
    }
}

#[test]
fn a_time_changes_its_unit_at_each_whole_minute_hour_and_day() {
    for (seconds, expected) in [
        (-1.0, "0 s"),
        (59.4, "59 s"),
        (59.5, "1 min 00 s"),
        (599.0, "9 min 59 s"),
        (600.0, "10 min"),
        (3_599.0, "59 min"),
        (3_600.0, "1 h 00 min"),
        (86_399.0, "23 h 59 min"),
        (86_400.0, "1 d 0 h"),
        (f64::NAN, "?"),
    ] {
        assert_eq!(duration(seconds), expected, "{seconds}");
    }
    for (seconds, expected) in [
        (-5, "now"),
        (2, "now"),
        (3, "3 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3_599, "59 min ago"),
        (3_600, "1 h ago"),
        (172_799, "47 h ago"),
        (172_800, "2 d ago"),
    ] {
        assert_eq!(age(seconds), expected, "{seconds}");
    }
    for (seconds, expected) in [
        (59.9, "under 1 min"),
        (60.0, "1 min"),
        (7_199.0, "119 min"),
        (7_200.0, "2 h"),
        (172_799.0, "47 h"),
        (172_800.0, "2 d"),
        (f64::NAN, "?"),
    ] {
        assert_eq!(coarse(seconds), expected, "{seconds}");
    }
    assert_eq!(minimum_duration(59.9), "–");
    assert_eq!(minimum_duration(60.0), "over 1 min");
    assert_eq!(minimum_duration(7_200.0), "over 2 h");
    assert_eq!(clock(59.9), "00:00:59");
    assert_eq!(clock(90_061.0), "25:01:01");
    assert_eq!(clock(f64::NAN), "00:00:00");
}

#[test]
fn sizes_change_their_unit_at_powers_of_a_thousand() {
    for (size, expected) in [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_951, "1.0 MB"),
        (1_000_000, "1.0 MB"),
        (1_000_000_000, "1.0 GB"),
        (2_500_000_000_000, "2500.0 GB"),
    ] {
        assert_eq!(bytes(size), expected);
    }
}

#[test]
fn numbers_have_as_many_decimals_as_their_size_needs() {
    for (value, expected) in [
        (0.0, "0"),
        (9e-5, "9e-5"),
        (1e-4, "0.000100"),
        (-0.5, "−0.500"),
        (-9e-5, "−9e-5"),
        (1.25, "1.25"),
        (1_234.0, "1234"),
        // Rounding may lengthen a number by a digit.
        (9.994, "9.99"),
        (9.996, "10.0"),
        (-99.96, "−100"),
        (0.099_96, "0.100"),
        (0.000_099_96, "0.000100"),
        (9.94e-5, "9.9e-5"),
        (9_999_999_999.0, "9999999999"),
        (1e10, "1e10"),
        (-9.999e10, "−1e11"),
        (8.307_67e34, "8.31e34"),
        (f64::NAN, "?"),
    ] {
        assert_eq!(number(value), expected, "{value}");
    }
    // Only zeros after a point, and not those of an exponent, are left out.
    assert_eq!(short(200.0), "200");
    assert_eq!(short(1.5), "1.5");
    assert_eq!(short(-1.5), "−1.5");
    assert_eq!(short(1.5e-10), "1.5e-10");
    assert_eq!(short(3e30), "3e30");
    assert_eq!(short(9.996), "10");
    assert_eq!(learning_rate(0.0), "0");
    assert_eq!(learning_rate(0.000_11), "0.00011");
    assert_eq!(learning_rate(0.000_09), "9.0e-5");
    assert_eq!(learning_rate(0.000_099_9), "0.00010");
    assert_eq!(learning_rate(0.099_6), "0.10");
    assert_eq!(learning_rate(0.994), "0.99");
    assert_eq!(learning_rate(1.0), "1.0");
    assert_eq!(learning_rate(250.0), "250");
}

#[test]
fn only_numbers_other_than_zero_have_a_sign() {
    assert_eq!(signed(0.02), "+0.02");
    assert_eq!(signed(0.0), "0");
    assert_eq!(signed(-0.0), "0");
    assert_eq!(signed_number(-0.0134), "−0.0134");
    assert_eq!(signed_number(0.5), "+0.500");
    assert_eq!(signed_number(0.0), "0");
    assert_eq!(reliability(-0.12), "−0.12");
    assert_eq!(reliability(-0.001), "0.00");
    assert_eq!(reliability(-0.0), "0.00");
    assert_eq!(reliability(-0.006), "−0.01");
    assert_eq!(reliability(0.994), "0.99");
    assert_eq!(reliability(0.996), "0.996");
    assert_eq!(reliability(0.9996), "1.00");
    assert_eq!(
        [-0.04, -0.06, 2.0].map(|value| fixed(value, 1)),
        ["0.0", "−0.1", "2.0"]
    );
    assert_eq!(fixed(-0.4, 0), "0");
    assert_eq!(fixed(f64::NEG_INFINITY, 1), "−inf");
    for value in [-0.0134, -9e-5, -1.5] {
        let read = with_ascii_minus(&signed_number(value)).parse::<f64>();
        assert!((read.unwrap() / value - 1.0).abs() < 0.01, "{value}");
    }
    assert_eq!(gamma(Gamma(1.0)), "1.0");
    assert_eq!(gamma(Gamma(0.125)), "0.125");
}

#[test]
fn the_number_of_a_layer_is_not_mistaken_for_another_number() {
    assert_eq!(
        ["conv1", "layer1.0.conv1", "3", "0.3"].map(layer),
        ["conv1", "layer1.0.conv1", "layer 3", "layer 0.3"]
    );
    assert_eq!(layer("3\n4"), "layer 3 4");
}
