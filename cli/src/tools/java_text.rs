//! Text as Java writes it: numbers of `String.format`, and times of `SimpleDateFormat`.

use std::fmt::Write as _;

use jiff::ZonedDateTime;

use super::failure::Failure;

/// `%.Nf`: what is no number and what has no end have Java's names.
pub(crate) fn decimal(number: f64, digits: usize) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{number:.digits$}")
    }
}

/// `Double.toString`: decimals between a thousandth and ten million, else one digit before the point and an exponent.
pub(crate) fn double<N: std::fmt::LowerExp + std::fmt::Debug + Copy + Into<f64>>(number: N) -> String {
    let wide: f64 = number.into();
    if wide.is_nan() {
        return "NaN".to_owned();
    }
    if wide.is_infinite() {
        return if wide > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    if wide == 0.0 || (1e-3..1e7).contains(&wide.abs()) {
        let text = plain(digits, exponent.parse().unwrap_or(0));
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    let digits = if digits.contains('.') { digits.to_owned() } else { format!("{digits}.0") };
    format!("{digits}E{exponent}")
}

/// `1.25` and `-2` as `0.0125`; the exponent is between -3 and 6.
fn plain(digits: &str, exponent: i32) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let all: String = digits.chars().filter(char::is_ascii_digit).collect();
    let Ok(before) = usize::try_from(exponent + 1) else {
        return format!("{sign}0.{}{all}", "0".repeat(exponent.unsigned_abs() as usize - 1));
    };
    match before {
        0 => format!("{sign}0.{all}"),
        before if before >= all.len() => format!("{sign}{all}{}", "0".repeat(before - all.len())),
        before => format!("{sign}{}.{}", &all[..before], &all[before..]),
    }
}

/// A pattern of `java.text.SimpleDateFormat`, in the machine's time zone and in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DateFormat(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A letter and how often it stands there.
    Field(char, usize),
}

/// What the letters may be.
const LETTERS: &str = "GyYMLwWDdFEuaHkKhmsSzZX";

impl DateFormat {
    /// Reads a pattern: letters are fields, what stands between quotes is itself, and two quotes are one.
    pub(crate) fn new(pattern: &str) -> Result<DateFormat, Failure> {
        let mut parts = Vec::new();
        let mut letters = pattern.chars().peekable();
        let mut quoted = false;
        while let Some(letter) = letters.next() {
            if letter == '\'' {
                if letters.next_if_eq(&'\'').is_some() {
                    push(&mut parts, '\'');
                } else {
                    quoted = !quoted;
                }
            } else if quoted || !letter.is_ascii_alphabetic() {
                push(&mut parts, letter);
            } else if LETTERS.contains(letter) {
                let mut count = 1;
                while letters.next_if_eq(&letter).is_some() {
                    count += 1;
                }
                if letter == 'X' && count > 3 {
                    return Err(Failure::illegal(format!("invalid ISO 8601 format: length={count}")));
                }
                parts.push(Part::Field(letter, count));
            } else {
                return Err(Failure::illegal(format!("Illegal pattern character '{letter}'")));
            }
        }
        if quoted { Err(Failure::illegal("Unterminated quote")) } else { Ok(DateFormat(parts)) }
    }

    /// The text of a time.
    pub(crate) fn format(&self, time: &ZonedDateTime) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Field(letter, count) => write_field(time, *letter, *count, &mut text),
            }
        }
        text
    }

    /// The text of milliseconds since 1970.
    pub(crate) fn format_millis(&self, millis: i64) -> String {
        let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        self.format(&time.to_zoned_datetime(jiff::tz::TimeZone::system()))
    }
}

fn push(parts: &mut Vec<Part>, letter: char) {
    if let Some(Part::Text(text)) = parts.last_mut() {
        text.push(letter);
    } else {
        parts.push(Part::Text(letter.to_string()));
    }
}

fn write_field(time: &ZonedDateTime, letter: char, count: usize, text: &mut String) {
    let name = |format: &str| time.strftime(format).to_string();
    let number = |number: i64| format!("{number:0count$}");
    let year = |year: i16| {
        // Two letters are the century's year; others are padded.
        if count == 2 { format!("{:02}", year.rem_euclid(100)) } else { number(i64::from(year)) }
    };
    let hour = i64::from(time.hour());
    let day = i64::from(time.day());
    let sunday = i64::from(time.weekday().to_sunday_zero_offset());
    let field = match letter {
        'G' => if time.year() > 0 { "AD" } else { "BC" }.to_owned(),
        'y' => year(time.year()),
        'Y' => year(week_of_year(time).1),
        'M' | 'L' if count >= 4 => name("%B"),
        'M' | 'L' if count == 3 => name("%b"),
        'M' | 'L' => number(i64::from(time.month())),
        'w' => number(week_of_year(time).0),
        'W' => {
            let first = (sunday - (day - 1)).rem_euclid(7);
            number((day - 1 + first) / 7 + 1)
        }
        'D' => number(i64::from(time.day_of_year())),
        'd' => number(day),
        'F' => number((day - 1) / 7 + 1),
        'E' if count >= 4 => name("%A"),
        'E' => name("%a"),
        'u' => number(i64::from(time.weekday().to_monday_one_offset())),
        'a' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        'H' => number(hour),
        'k' => number(if hour == 0 { 24 } else { hour }),
        'K' => number(hour % 12),
        'h' => number(if hour % 12 == 0 { 12 } else { hour % 12 }),
        'm' => number(i64::from(time.minute())),
        's' => number(i64::from(time.second())),
        'S' => number(i64::from(time.millisecond())),
        'z' if count >= 4 => time.time_zone().iana_name().unwrap_or("UTC").to_owned(),
        'z' => name("%Z"),
        'Z' => offset(time, "", 2),
        _ if time.offset().is_zero() => "Z".to_owned(),
        _ => offset(time, if count == 3 { ":" } else { "" }, count),
    };
    let _ = write!(text, "{field}");
}

/// The week and its year where weeks begin on Sunday and the first is that of January 1st.
fn week_of_year(time: &ZonedDateTime) -> (i64, i16) {
    let sunday = i64::from(time.weekday().to_sunday_zero_offset());
    let day = i64::from(time.day_of_year());
    let days = i64::from(time.days_in_year());
    // The week in which the next year begins is its first.
    if day - sunday + 6 > days {
        return (1, time.year().saturating_add(1));
    }
    let first = (sunday - (day - 1)).rem_euclid(7);
    ((day - 1 + first) / 7 + 1, time.year())
}

/// `+0130`: one part is hours alone.
fn offset(time: &ZonedDateTime, between: &str, parts: usize) -> String {
    let seconds = time.offset().seconds();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    match parts {
        1 => format!("{sign}{:02}", minutes / 60),
        _ => format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pattern, time, and what JDK 17 makes of the two.
    const CASES: [(&str, &str, &str); 16] = [
        ("yyyy-MM-dd HH:mm:ss:SSS", "2018-03-04T05:06:07.089+01:30[+01:30]", "2018-03-04 05:06:07:089"),
        ("yy.M.d H:m:s.S", "2018-03-04T05:06:07.089+01:30[+01:30]", "18.3.4 5:6:7.89"),
        ("EEE, d MMM yyyy", "2018-03-04T05:06:07+01:30[+01:30]", "Sun, 4 Mar 2018"),
        ("EEEE MMMM", "2018-03-04T05:06:07+01:30[+01:30]", "Sunday March"),
        ("hh 'o''clock' a", "2018-03-04T00:06:07+01:30[+01:30]", "12 o'clock AM"),
        ("k K h H", "2018-03-04T00:06:07+01:30[+01:30]", "24 0 12 0"),
        ("k K h H a", "2018-03-04T13:06:07+01:30[+01:30]", "13 1 1 13 PM"),
        ("Z X XX XXX", "2018-03-04T05:06:07+01:30[+01:30]", "+0130 +01 +0130 +01:30"),
        ("Z X XXX", "2018-03-04T05:06:07-05:00[-05:00]", "-0500 -05 -05:00"),
        ("X XX XXX Z", "2018-03-04T05:06:07Z[UTC]", "Z Z Z +0000"),
        ("G yyyyy DDD", "2018-03-04T05:06:07Z[UTC]", "AD 02018 063"),
        ("w W F u YYYY", "2018-03-04T05:06:07Z[UTC]", "10 2 1 7 2018"),
        ("w W F u YYYY", "2018-12-31T05:06:07Z[UTC]", "1 6 5 1 2019"),
        ("w W F u YY", "2016-01-02T05:06:07Z[UTC]", "1 1 1 6 16"),
        ("w W F u YY", "2017-12-31T05:06:07Z[UTC]", "1 6 5 7 18"),
        ("''yyyy''", "2018-03-04T05:06:07Z[UTC]", "'2018'"),
    ];

    #[test]
    fn times_look_like_simple_date_formats() {
        for (pattern, time, expected) in CASES {
            let time: ZonedDateTime = time.parse().unwrap();
            assert_eq!(DateFormat::new(pattern).unwrap().format(&time), expected, "{pattern}");
        }
    }

    #[test]
    fn a_wrong_pattern_is_refused_in_javas_words() {
        let refused = |pattern| DateFormat::new(pattern).unwrap_err().message;
        assert_eq!(refused("yyyy b"), "Illegal pattern character 'b'");
        assert_eq!(refused("yyyy 'b"), "Unterminated quote");
        assert_eq!(refused("XXXX"), "invalid ISO 8601 format: length=4");
    }

    #[test]
    fn numbers_look_like_javas() {
        assert_eq!(decimal(1234.56789, 4), "1234.5679");
        assert_eq!(decimal(f64::NAN, 2), "NaN");
        assert_eq!(decimal(f64::INFINITY, 2), "Infinity");
    }
}
