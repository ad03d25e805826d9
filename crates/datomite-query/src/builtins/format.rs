//! `format`: Java's `%` directives for text, numbers and dates.

use datomite_model::{BigDec, BigInt, Edn, Value};

use super::calendar::Civil;
use super::number::Number;
use super::{CallError, Invocation, Outcome, hash, print};
use crate::QueryError;

/// No field is wider than this.
const WIDTH_MAX: usize = 10_000;

/// One `%` of a format: which argument, flags, width, precision, conversion.
struct Directive {
    argument: Which,
    flags: String,
    width: Option<usize>,
    precision: Option<usize>,
    conversion: char,
    /// What of a date: the letter after `t`.
    part: char,
}

enum Which {
    Next,
    Same,
    Number(usize),
}

impl Directive {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn upper(&self) -> bool {
        self.conversion.is_ascii_uppercase()
    }
}

/// `(format s x*)`: `first` is where the arguments begin.
pub(super) fn format(c: &Invocation<'_>) -> Outcome {
    let args: Vec<&Edn> = (1..c.len()).map(|at| c.edn(at)).collect::<Result<_, _>>()?;
    formatted(c, c.text(0)?, &args).map(|text| Edn::string(&text))
}

/// The text of a format with its arguments.
pub(super) fn formatted(
    c: &Invocation<'_>,
    pattern: &str,
    args: &[&Edn],
) -> Result<String, QueryError> {
    let bad = || -> QueryError {
        CallError::Unreadable {
            function: c.function(),
            text: pattern.to_string(),
        }
        .into()
    };
    let mut rest = pattern;
    let mut text = String::new();
    let (mut next, mut last) = (0, None);
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let (directive, length) = directive(&rest[at + 1..]).ok_or_else(bad)?;
        rest = &rest[at + 1 + length..];
        let body = match directive.conversion {
            '%' => "%".to_string(),
            'n' => "\n".to_string(),
            _ => {
                let at = match directive.argument {
                    Which::Next => {
                        next += 1;
                        next - 1
                    }
                    Which::Same => last.ok_or_else(bad)?,
                    Which::Number(number) => number.checked_sub(1).ok_or_else(bad)?,
                };
                last = Some(at);
                let form = args.get(at).ok_or_else(bad)?;
                converted(form, &directive).ok_or_else(|| wrong(c, form, &directive))?
            }
        };
        let body = if directive.upper() {
            body.to_uppercase()
        } else {
            body
        };
        pad(&mut text, &body, &directive);
    }
    text.push_str(rest);
    Ok(text)
}

fn wrong(c: &Invocation<'_>, form: &Edn, directive: &Directive) -> QueryError {
    CallError::WrongType {
        function: c.function(),
        expected: match directive.conversion.to_ascii_lowercase() {
            'd' | 'x' | 'o' => "a long for %d, %x and %o",
            'f' | 'e' | 'g' | 'a' => "a double or decimal for %f, %e and %g",
            'c' => "a character for %c",
            't' => "an instant for %t",
            _ => "what the directive prints",
        },
        found: form.clone(),
    }
    .into()
}

fn directive(text: &str) -> Option<(Directive, usize)> {
    let mut chars = text.char_indices().peekable();
    let digits_at = |chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>| {
        let mut digits = String::new();
        while let Some((_, digit)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
            digits.push(digit);
        }
        digits
    };
    let mut argument = Which::Next;
    if let Some(end) = text.find('$')
        && end > 0
        && text[..end].bytes().all(|b| b.is_ascii_digit())
    {
        argument = Which::Number(text[..end].parse().ok()?);
        while chars.next()?.1 != '$' {}
    }
    let mut flags = String::new();
    while let Some((_, flag)) = chars.next_if(|(_, c)| "-#+ 0,(<".contains(*c)) {
        if flag == '<' {
            argument = Which::Same;
        } else if flags.contains(flag) {
            return None;
        } else {
            flags.push(flag);
        }
    }
    let width = digits_at(&mut chars);
    let precision = match chars.next_if(|(_, c)| *c == '.') {
        Some(_) => Some(digits_at(&mut chars).parse().ok()?),
        None => None,
    };
    let (mut end, conversion) = chars.next()?;
    let mut part = ' ';
    if conversion.eq_ignore_ascii_case(&'t') {
        (end, part) = chars.next()?;
    }
    let directive = Directive {
        argument,
        flags,
        width: match width.as_str() {
            "" => None,
            width => Some(width.parse().ok()?),
        },
        precision,
        conversion,
        part,
    };
    let last = if part == ' ' { conversion } else { part };
    fits(&directive).then_some((directive, end + last.len_utf8()))
}

/// Whether flags, width and precision go with the conversion.
fn fits(directive: &Directive) -> bool {
    let kind = directive.conversion;
    let known = "bBhHsScCdoxXeEfgGaAtT%n".contains(kind);
    let width = directive.width.is_none_or(|width| width <= WIDTH_MAX);
    let precision = directive.precision.is_none_or(|most| most <= WIDTH_MAX);
    let sided = directive.has('-') || directive.has('0');
    let both = directive.has('-') && directive.has('0');
    let signs = directive.has('+') && directive.has(' ');
    let numeric = "doxXeEfgGaA".contains(kind);
    let no_precision = "cCdoxXtTn%".contains(kind);
    let no_flags = directive.flags.chars().all(|flag| flag == '-');
    known
        && width
        && precision
        && !both
        && !signs
        && !(sided && directive.width.is_none())
        && (numeric || no_flags)
        && !(no_precision && directive.precision.is_some())
        && !(kind == 'n' && (directive.width.is_some() || !directive.flags.is_empty()))
        && !("eEgG".contains(kind) && directive.has('#') && kind.eq_ignore_ascii_case(&'g'))
        && !("eE".contains(kind) && directive.has(','))
        && !("d".contains(kind) && directive.has('#'))
        && !("oxX".contains(kind) && "+ ,(".chars().any(|flag| directive.has(flag)))
}

/// The text of one argument; none where it is of the wrong type.
fn converted(form: &Edn, directive: &Directive) -> Option<String> {
    let kind = directive.conversion.to_ascii_lowercase();
    let cut = |text: String| match directive.precision {
        Some(length) => text.chars().take(length).collect(),
        None => text,
    };
    if kind == 'b' {
        let truth = match form {
            Edn::Value(Value::Boolean(b)) => *b,
            form => !form.is_nil(),
        };
        return Some(cut(truth.to_string()));
    }
    if form.is_nil() {
        return Some(cut("null".to_string()));
    }
    match kind {
        's' => Some(cut(print::text_of(form))),
        'h' => Some(cut(format!("{:x}", hash::java_hash(form)?))),
        'c' => match form {
            Edn::Char(character) => Some(character.to_string()),
            _ => None,
        },
        'd' => match form {
            Edn::Value(Value::Long(n)) => Some(signed(&n.to_string(), directive)),
            _ => None,
        },
        'x' | 'o' => {
            let Edn::Value(Value::Long(n)) = form else {
                return None;
            };
            Some(match (kind, directive.has('#')) {
                ('x', false) => format!("{n:x}"),
                ('x', true) => format!("0x{n:x}"),
                (_, false) => format!("{n:o}"),
                (_, true) => format!("0{n:o}"),
            })
        }
        'f' | 'e' | 'g' => floating(form, kind, directive),
        'a' => match form {
            Edn::Value(Value::Double(n)) => hexadecimal(*n),
            _ => None,
        },
        't' => match form {
            Edn::Value(Value::Instant(instant)) => date_part(*instant, directive.part),
            Edn::Value(Value::Long(ms)) => {
                date_part(datomite_model::Instant::from_ms(*ms), directive.part)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Sign, groups of thousands, parentheses and leading zeros.
fn signed(text: &str, directive: &Directive) -> String {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut digits = if directive.has(',') {
        grouped(digits)
    } else {
        digits.to_string()
    };
    let (before, after) = match negative {
        true if directive.has('(') => ("(", ")"),
        true => ("-", ""),
        false if directive.has('+') => ("+", ""),
        false if directive.has(' ') => (" ", ""),
        false => ("", ""),
    };
    if directive.has('0') && digits.starts_with(|c: char| c.is_ascii_digit()) {
        let taken = before.len() + after.len() + digits.len();
        let missing = directive.width.unwrap_or(0).saturating_sub(taken);
        digits.insert_str(0, &"0".repeat(missing));
    }
    format!("{before}{digits}{after}")
}

fn grouped(text: &str) -> String {
    let (whole, fraction) = match text.find('.') {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

fn floating(form: &Edn, kind: char, directive: &Directive) -> Option<String> {
    let negative_zero = matches!(form, Edn::Value(Value::Double(n)) if n.is_sign_negative());
    match form {
        Edn::Value(Value::Double(n)) if !n.is_finite() => return Some(not_finite(*n, directive)),
        Edn::Value(Value::Float(n)) if !n.is_finite() => {
            return Some(not_finite(f64::from(*n), directive));
        }
        Edn::Value(Value::Double(_) | Value::Float(_) | Value::BigDec(_)) => {}
        _ => return None,
    }
    let number: BigDec = print::text_of(form).parse().ok()?;
    let digits = directive.precision.unwrap_or(6);
    let text = match kind {
        'f' => fixed(&number, digits)?,
        'e' => scientific(&number, digits)?,
        _ => general(&number, digits.max(1))?,
    };
    let text = match text.strip_prefix('-') {
        None if negative_zero => format!("-{text}"),
        _ => text,
    };
    Some(signed(&text, directive))
}

fn not_finite(n: f64, directive: &Directive) -> String {
    if n.is_nan() {
        return "NaN".to_string();
    }
    match (n > 0.0, directive.has('(')) {
        (true, _) if directive.has('+') => "+Infinity",
        (true, _) => "Infinity",
        (false, true) => "(Infinity)",
        (false, false) => "-Infinity",
    }
    .to_string()
}

/// A decimal with so many digits after the point, halves away from zero.
fn rounded(number: &BigDec, scale: i64) -> Option<BigDec> {
    let excess = number.scale() - scale;
    if !(-20_000..=20_000).contains(&excess) {
        return None;
    }
    let ten = BigInt::from(10);
    Some(BigDec::new(
        if excess > 0 {
            let unit = ten.pow(excess as u32);
            let half: BigInt = &unit / 2;
            let away = match number.unscaled().sign() {
                num_bigint::Sign::Minus => -half,
                _ => half,
            };
            (number.unscaled() + away) / unit
        } else {
            number.unscaled() * ten.pow((-excess) as u32)
        },
        scale,
    ))
}

/// A decimal with so many digits after the point, rounded as a mode of Java says; none where it
/// may not be rounded and would be.
pub(super) fn scaled(number: &BigDec, scale: i64, mode: Option<&str>) -> Option<BigDec> {
    divided(number, &BigDec::new(1.into(), 0), scale, mode)
}

/// The quotient with so many digits after the point; none where it has no such digits.
pub(super) fn divided(n: &BigDec, m: &BigDec, scale: i64, mode: Option<&str>) -> Option<BigDec> {
    use num_integer::Integer;
    use num_traits::{Signed, Zero};
    let shift = scale - n.scale() + m.scale();
    if shift.abs() > 20_000 || m.unscaled().is_zero() {
        return None;
    }
    let ten = BigInt::from(10);
    let (over, under) = if shift >= 0 {
        (n.unscaled() * ten.pow(shift as u32), m.unscaled().clone())
    } else {
        (
            n.unscaled().clone(),
            m.unscaled() * ten.pow((-shift) as u32),
        )
    };
    let (quotient, rest) = over.div_rem(&under);
    let negative = over.is_negative() != under.is_negative();
    let half = (rest.magnitude() * 2u32).cmp(under.magnitude());
    let away = !rest.is_zero()
        && match mode.unwrap_or("UNNECESSARY") {
            "UP" => true,
            "DOWN" => false,
            "CEILING" => !negative,
            "FLOOR" => negative,
            "HALF_UP" => half.is_ge(),
            "HALF_DOWN" => half.is_gt(),
            "HALF_EVEN" => half.is_gt() || (half.is_eq() && quotient.is_odd()),
            _ => return None,
        };
    let step = BigInt::from(if negative { -1 } else { 1 });
    Some(BigDec::new(
        if away { quotient + step } else { quotient },
        scale,
    ))
}

/// A decimal as digits and a point only; none where that is absurdly long.
pub(super) fn plain(number: &BigDec) -> Option<String> {
    if number.scale().abs() > 20_000 {
        return None;
    }
    let digits = number.unscaled().to_string();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits.as_str()),
    };
    let scale = number.scale();
    if scale <= 0 {
        let zeros = if digits == "0" { 0 } else { -scale as usize };
        return Some(format!("{sign}{digits}{}", "0".repeat(zeros)));
    }
    let padded = format!("{digits:0>width$}", width = scale as usize + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale as usize);
    Some(format!("{sign}{whole}.{fraction}"))
}

fn fixed(number: &BigDec, digits: usize) -> Option<String> {
    let text = plain(&rounded(number, digits as i64)?)?;
    let lost_sign = number.unscaled().sign() == num_bigint::Sign::Minus && !text.starts_with('-');
    Some(if lost_sign { format!("-{text}") } else { text })
}

/// The power of ten of the first digit.
fn exponent(number: &BigDec) -> i64 {
    let digits = number.unscaled().to_string();
    digits.trim_start_matches('-').len() as i64 - 1 - number.scale()
}

fn scientific(number: &BigDec, digits: usize) -> Option<String> {
    let zero = Number::dec(number.clone()).is_zero();
    let mut power = if zero { 0 } else { exponent(number) };
    let mut kept = rounded(number, digits as i64 - power)?;
    if !zero && exponent(&kept) > power {
        power += 1;
        kept = rounded(number, digits as i64 - power)?;
    }
    let mantissa = plain(&BigDec::new(kept.unscaled().clone(), digits as i64))?;
    let sign = if power < 0 { '-' } else { '+' };
    Some(format!("{mantissa}e{sign}{:02}", power.abs()))
}

fn general(number: &BigDec, digits: usize) -> Option<String> {
    if Number::dec(number.clone()).is_zero() {
        return fixed(number, digits - 1);
    }
    let kept = rounded(number, digits as i64 - 1 - exponent(number))?;
    let power = exponent(&kept);
    if (-4..digits as i64).contains(&power) {
        fixed(number, (digits as i64 - 1 - power).max(0) as usize)
    } else {
        scientific(number, digits - 1)
    }
}

/// `%a`: as `Double.toHexString`.
fn hexadecimal(n: f64) -> Option<String> {
    let sign = if n.is_sign_negative() { "-" } else { "" };
    if n.is_nan() {
        return Some("NaN".to_string());
    }
    if n.is_infinite() {
        return Some(format!("{sign}Infinity"));
    }
    let bits = n.to_bits();
    let (power, mantissa) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    let digits = format!("{mantissa:013x}");
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        digits => digits,
    };
    Some(match power {
        0 if mantissa == 0 => format!("{sign}0x0.0p0"),
        0 => format!("{sign}0x0.{digits}p-1022"),
        power => format!("{sign}0x1.{digits}p{}", power as i64 - 1023),
    })
}

fn date_part(instant: datomite_model::Instant, part: char) -> Option<String> {
    let t = Civil::of(instant);
    let twelve = (t.hour + 11) % 12 + 1;
    let half = if t.hour < 12 { "am" } else { "pm" };
    let compose = |parts: &[(char, &str)]| -> Option<String> {
        let mut text = String::new();
        for (part, after) in parts {
            text.push_str(&date_part(instant, *part)?);
            text.push_str(after);
        }
        Some(text)
    };
    Some(match part {
        'Y' => format!("{:04}", t.year),
        'y' => format!("{:02}", t.year.rem_euclid(100)),
        'C' => format!("{:02}", t.year.div_euclid(100)),
        'm' => format!("{:02}", t.month),
        'd' => format!("{:02}", t.day),
        'e' => t.day.to_string(),
        'j' => format!("{:03}", t.day_of_year),
        'B' => t.month_name().to_string(),
        'b' | 'h' => t.month_name()[..3].to_string(),
        'A' => t.day_name().to_string(),
        'a' => t.day_name()[..3].to_string(),
        'H' => format!("{:02}", t.hour),
        'k' => t.hour.to_string(),
        'I' => format!("{twelve:02}"),
        'l' => twelve.to_string(),
        'M' => format!("{:02}", t.minute),
        'S' => format!("{:02}", t.second),
        'L' => format!("{:03}", t.milli),
        'N' => format!("{:09}", t.milli * 1_000_000),
        'p' => half.to_string(),
        'z' => "+0000".to_string(),
        'Z' => "UTC".to_string(),
        's' => instant.ms().div_euclid(1000).to_string(),
        'Q' => instant.ms().to_string(),
        'R' => compose(&[('H', ":"), ('M', "")])?,
        'T' => compose(&[('H', ":"), ('M', ":"), ('S', "")])?,
        'r' => format!(
            "{} {}",
            compose(&[('I', ":"), ('M', ":"), ('S', "")])?,
            half.to_uppercase()
        ),
        'D' => compose(&[('m', "/"), ('d', "/"), ('y', "")])?,
        'F' => compose(&[('Y', "-"), ('m', "-"), ('d', "")])?,
        'c' => t.text(),
        _ => return None,
    })
}

fn pad(text: &mut String, body: &str, directive: &Directive) {
    let missing = directive
        .width
        .unwrap_or(0)
        .saturating_sub(body.chars().count());
    let filling = match directive.has('0') && "oxX".contains(directive.conversion) {
        true => '0',
        false => ' ',
    };
    if !directive.has('-') {
        text.extend(std::iter::repeat_n(filling, missing));
    }
    text.push_str(body);
    if directive.has('-') {
        text.extend(std::iter::repeat_n(' ', missing));
    }
}
