//! Macros: forms that are written as other forms.
//!
//! Everything here is rewriting of EDN, down to `if`, `do`, `let`, `loop`, `fn`, `case` and calls
//! (`compile.rs`). Names that a macro makes up cannot be written in EDN, so they never meet one
//! that is.

use std::cell::Cell;

use datomite_model::{Edn, Keyword, Symbol, Value};

use super::call::bad;
use crate::QueryError;

type Expanded = Result<Edn, QueryError>;

/// The macros by name, with their documentation.
pub(super) const MACROS: &[(&str, &str)] = &[
    ("quote", "(quote form): the form as it stands"),
    ("if", "(if test then else?): one of two"),
    ("if-not", "(if-not test then else?): one of two"),
    ("when", "(when test body*): the last of body, or nil"),
    (
        "when-not",
        "(when-not test body*): the last of body, or nil",
    ),
    (
        "cond",
        "(cond test value ...): the value of the first true test",
    ),
    (
        "condp",
        "(condp f x test value ... default?): the first for which (f test x)",
    ),
    (
        "case",
        "(case x constant value ... default?): the value of the constant",
    ),
    ("and", "(and x*): the first false one, or the last"),
    ("or", "(or x*): the first true one, or the last"),
    ("do", "(do x*): the last one"),
    (
        "let",
        "(let [name value ...] body*): body with names for values",
    ),
    (
        "if-let",
        "(if-let [name x] then else?): then with x, if x is true",
    ),
    (
        "when-let",
        "(when-let [name x] body*): body with x, if x is true",
    ),
    (
        "if-some",
        "(if-some [name x] then else?): then with x, if x is not nil",
    ),
    (
        "when-some",
        "(when-some [name x] body*): body with x, if x is not nil",
    ),
    (
        "when-first",
        "(when-first [name xs] body*): body with the first of xs, if there is one",
    ),
    (
        "for",
        "(for [name xs :when test :let [...] :while test ...] x): x for each",
    ),
    ("doseq", "(doseq [name xs ...] body*): body for each; nil"),
    ("dotimes", "(dotimes [name n] body*): body n times; nil"),
    (
        "loop",
        "(loop [name value ...] body*): body, again at each recur",
    ),
    (
        "recur",
        "(recur value*): the next turn of a loop or function",
    ),
    (
        "->",
        "(-> x step*): each step with the one before as first argument",
    ),
    (
        "->>",
        "(->> x step*): each step with the one before as last argument",
    ),
    (
        "as->",
        "(as-> x name step*): each step with name for the one before",
    ),
    (
        "cond->",
        "(cond-> x test step ...): x through the steps whose test is true, as ->",
    ),
    ("cond->>", "(cond->> x test step ...): the same, as ->>"),
    ("some->", "(some-> x step*): as ->, until nil"),
    ("some->>", "(some->> x step*): as ->>, until nil"),
    ("doto", "(doto x step*): x, after the steps"),
    ("..", "(.. x member*): member of member of x"),
    (".", "(. x member arg*): a method"),
    ("new", "(new Class arg*): a constructor"),
    ("comment", "(comment form*): nil"),
    ("assert", "(assert x): nil, or an error if x is false"),
    ("fn", "(fn name? [parameter*] body*): a function"),
    (
        "comp",
        "(comp f*): one function after the other, the last first",
    ),
    ("juxt", "(juxt f*): a vector of what each gives"),
    ("partial", "(partial f x*): f with its first arguments"),
    ("complement", "(complement f): true where f is false"),
    ("constantly", "(constantly x): always x"),
    ("fnil", "(fnil f default+): f with defaults for nil"),
    (
        "every-pred",
        "(every-pred f+): whether all are true of all arguments",
    ),
    ("some-fn", "(some-fn f+): the first true answer"),
    ("memoize", "(memoize f): f"),
    ("comparator", "(comparator f): an order, from a predicate"),
    (
        "iterate",
        "(iterate f x): x, f of x, f of that ..., to be taken from",
    ),
    ("cycle", "(cycle xs): xs again and again, to be taken from"),
];

/// What a macro stands for; none where the name is no macro.
pub(super) fn expand(
    name: &str,
    rest: &[Edn],
    form: &Edn,
    made_up: &Cell<u32>,
) -> Option<Expanded> {
    Some(Ok(match (name, rest) {
        ("if-not", [test, then]) => call("if", [test.clone(), Edn::Nil, then.clone()]),
        ("if-not", [test, then, otherwise]) => {
            call("if", [test.clone(), otherwise.clone(), then.clone()])
        }
        ("when", [test, body @ ..]) => call("if", [test.clone(), all("do", body)]),
        ("when-not", [test, body @ ..]) => call("if", [test.clone(), Edn::Nil, all("do", body)]),
        ("cond", clauses) => return Some(cond(clauses, form)),
        ("condp", [test, value, clauses @ ..]) => condp(test, value, clauses, made_up),
        ("->", [first, steps @ ..]) => thread(first, steps, false),
        ("->>", [first, steps @ ..]) => thread(first, steps, true),
        ("as->", [first, name, steps @ ..]) => {
            let named = std::iter::once(first).chain(steps);
            let bindings = named.flat_map(|step| [name.clone(), step.clone()]);
            call("let", [Edn::Vector(bindings.collect()), name.clone()])
        }
        ("cond->" | "cond->>", [first, clauses @ ..]) => {
            cond_thread(first, clauses, name == "cond->>", made_up)
        }
        ("some->" | "some->>", [first, steps @ ..]) => {
            some_thread(first, steps, name == "some->>", made_up)
        }
        ("doto", [first, steps @ ..]) => {
            let value = fresh(made_up);
            let steps = steps.iter().map(|step| threaded(&value, step, false));
            let body = steps.chain([value.clone()]).collect::<Vec<Edn>>();
            let_in(&value, first, all("do", &body))
        }
        ("..", [first, members @ ..]) => members
            .iter()
            .fold(first.clone(), |value, member| method(value, member, &[])),
        (".", [target, member, args @ ..]) => method(target.clone(), member, args),
        ("new", [Edn::Value(Value::Symbol(class)), args @ ..]) => {
            all(&format!("{}.", class.as_str()), args)
        }
        ("if-let" | "if-some" | "when-let" | "when-some" | "when-first", [Edn::Vector(b), ..])
            if b.len() == 2 =>
        {
            bound_choice(name, &b[0], &b[1], &rest[1..], made_up)
        }
        ("for", [Edn::Vector(bindings), body @ ..]) => comprehension(bindings, &all("do", body)),
        ("doseq", [Edn::Vector(bindings), body @ ..]) => {
            call("do", [comprehension(bindings, &all("do", body)), Edn::Nil])
        }
        ("dotimes", [Edn::Vector(bindings), body @ ..]) if bindings.len() == 2 => {
            let range = call("range", [bindings[1].clone()]);
            let over = [bindings[0].clone(), range];
            call("do", [comprehension(&over, &all("do", body)), Edn::Nil])
        }
        ("comment", _) => Edn::Nil,
        ("time", [form]) => form.clone(),
        ("assert", [test, ..]) => {
            call("if", [test.clone(), Edn::Nil, call("case", [test.clone()])])
        }
        _ => return None,
    }))
}

/// A name that no text can write.
fn fresh(made_up: &Cell<u32>) -> Edn {
    made_up.set(made_up.get() + 1);
    Edn::Value(Value::Symbol(Symbol::new(
        None,
        &format!("{{{}}}", made_up.get()),
    )))
}

fn call<const N: usize>(name: &str, args: [Edn; N]) -> Edn {
    all(name, &args)
}

fn all(name: &str, args: &[Edn]) -> Edn {
    let head = std::iter::once(Edn::symbol(name));
    Edn::List(head.chain(args.iter().cloned()).collect())
}

fn let_in(name: &Edn, value: &Edn, body: Edn) -> Edn {
    call(
        "let",
        [Edn::Vector(vec![name.clone(), value.clone()]), body],
    )
}

fn cond(clauses: &[Edn], form: &Edn) -> Expanded {
    if clauses.len() % 2 == 1 {
        return Err(bad(form, "cond takes an even number of forms"));
    }
    let pairs = clauses.chunks(2).rev();
    Ok(pairs.fold(Edn::Nil, |otherwise, pair| {
        call("if", [pair[0].clone(), pair[1].clone(), otherwise])
    }))
}

fn condp(test: &Edn, value: &Edn, clauses: &[Edn], made_up: &Cell<u32>) -> Edn {
    let name = fresh(made_up);
    let pairs = clauses.chunks_exact(2);
    let default = match pairs.remainder() {
        [default] => default.clone(),
        _ => call("case", [name.clone()]),
    };
    let body = pairs.rev().fold(default, |otherwise, pair| {
        let asked = Edn::List(vec![test.clone(), pair[0].clone(), name.clone()]);
        call("if", [asked, pair[1].clone(), otherwise])
    });
    let_in(&name, value, body)
}

/// A step with a value as its first or last argument.
fn threaded(value: &Edn, step: &Edn, last: bool) -> Edn {
    let mut items = match step {
        Edn::List(items) if !items.is_empty() => items.clone(),
        step => vec![step.clone()],
    };
    let at = if last { items.len() } else { 1 };
    items.insert(at, value.clone());
    Edn::List(items)
}

fn thread(first: &Edn, steps: &[Edn], last: bool) -> Edn {
    steps
        .iter()
        .fold(first.clone(), |value, step| threaded(&value, step, last))
}

fn cond_thread(first: &Edn, clauses: &[Edn], last: bool, made_up: &Cell<u32>) -> Edn {
    let name = fresh(made_up);
    let mut bindings = vec![name.clone(), first.clone()];
    for pair in clauses.chunks_exact(2) {
        let step = threaded(&name, &pair[1], last);
        bindings.push(name.clone());
        bindings.push(call("if", [pair[0].clone(), step, name.clone()]));
    }
    call("let", [Edn::Vector(bindings), name])
}

fn some_thread(first: &Edn, steps: &[Edn], last: bool, made_up: &Cell<u32>) -> Edn {
    let name = fresh(made_up);
    let mut bindings = vec![name.clone(), first.clone()];
    for step in steps {
        let is_nil = call("nil?", [name.clone()]);
        let step = threaded(&name, step, last);
        bindings.push(name.clone());
        bindings.push(call("if", [is_nil, Edn::Nil, step]));
    }
    call("let", [Edn::Vector(bindings), name])
}

/// `(. x member arg*)`, the member a name or a list.
fn method(target: Edn, member: &Edn, args: &[Edn]) -> Edn {
    let (name, own) = match member {
        Edn::List(items) if !items.is_empty() => (&items[0], &items[1..]),
        name => (name, &[][..]),
    };
    let name = name.as_symbol().map_or("", Symbol::as_str);
    let name = name.strip_prefix('-').unwrap_or(name);
    let forms = std::iter::once(target).chain(own.iter().chain(args).cloned());
    all(&format!(".{name}"), &forms.collect::<Vec<Edn>>())
}

/// `if-let` and its kin.
fn bound_choice(kind: &str, name: &Edn, value: &Edn, rest: &[Edn], made_up: &Cell<u32>) -> Edn {
    let found = fresh(made_up);
    let test = if kind.ends_with("-some") {
        call("some?", [found.clone()])
    } else {
        found.clone()
    };
    let (then, otherwise) = if kind.starts_with("when") {
        (all("do", rest), Edn::Nil)
    } else {
        (
            rest.first().cloned().unwrap_or(Edn::Nil),
            rest.get(1).cloned().unwrap_or(Edn::Nil),
        )
    };
    let (value, inner) = if kind == "when-first" {
        (call("seq", [value.clone()]), call("first", [found.clone()]))
    } else {
        (value.clone(), found.clone())
    };
    let then = let_in(name, &inner, then);
    let_in(&found, &value, call("if", [test, then, otherwise]))
}

/// `for`: nested `mapcat`s.
fn comprehension(bindings: &[Edn], body: &Edn) -> Edn {
    let [first, second, rest @ ..] = bindings else {
        return call("list", [body.clone()]);
    };
    let word = first.as_keyword().map(Keyword::as_str);
    match word {
        Some("when") => call(
            "if",
            [
                second.clone(),
                comprehension(rest, body),
                Edn::List(Vec::new()),
            ],
        ),
        Some("let") => call("let", [second.clone(), comprehension(rest, body)]),
        _ => {
            let of = |body: Edn| call("fn", [Edn::Vector(vec![first.clone()]), body]);
            let (over, rest) = match rest {
                [Edn::Value(Value::Keyword(k)), test, rest @ ..] if k.as_str() == "while" => {
                    let taken = call("take-while", [of(test.clone()), second.clone()]);
                    (taken, rest)
                }
                rest => (second.clone(), rest),
            };
            call("mapcat", [of(comprehension(rest, body)), over])
        }
    }
}

/// The names and values of a `let`, with patterns taken apart.
pub(super) fn plain_bindings(
    bindings: &[Edn],
    form: &Edn,
    made_up: &Cell<u32>,
) -> Result<Vec<(Symbol, Edn)>, QueryError> {
    if bindings.len() % 2 == 1 {
        return Err(bad(form, "each name needs a value"));
    }
    let mut plain = Vec::new();
    for pair in bindings.chunks(2) {
        take_apart(&pair[0], pair[1].clone(), form, made_up, &mut plain)?;
    }
    Ok(plain)
}

fn take_apart(
    pattern: &Edn,
    value: Edn,
    form: &Edn,
    made_up: &Cell<u32>,
    plain: &mut Vec<(Symbol, Edn)>,
) -> Result<(), QueryError> {
    if let Edn::Value(Value::Symbol(name)) = pattern {
        plain.push((name.clone(), value));
        return Ok(());
    }
    let whole = fresh(made_up);
    if let Some(name) = whole.as_symbol() {
        plain.push((name.clone(), value));
    }
    match pattern {
        Edn::Vector(parts) => apart_in_order(parts, &whole, form, made_up, plain),
        Edn::Map(entries) => apart_by_key(entries, &whole, form, made_up, plain),
        _ => Err(bad(form, "a name, a vector or a map of names is bound")),
    }
}

fn apart_in_order(
    parts: &[Edn],
    whole: &Edn,
    form: &Edn,
    made_up: &Cell<u32>,
    plain: &mut Vec<(Symbol, Edn)>,
) -> Result<(), QueryError> {
    let mut at = 0;
    let mut rest = parts;
    while let [part, more @ ..] = rest {
        rest = more;
        let word = part.as_symbol().map(Symbol::as_str);
        match (word, more) {
            (Some("&"), [name, more @ ..]) => {
                let taken = call("nthnext", [whole.clone(), Edn::long(at)]);
                take_apart(name, taken, form, made_up, plain)?;
                rest = more;
            }
            _ if *part == Edn::keyword("as") => {
                let [name, more @ ..] = more else {
                    return Err(bad(form, ":as needs a name"));
                };
                take_apart(name, whole.clone(), form, made_up, plain)?;
                rest = more;
            }
            _ => {
                let item = call("nth", [whole.clone(), Edn::long(at), Edn::Nil]);
                take_apart(part, item, form, made_up, plain)?;
                at += 1;
            }
        }
    }
    Ok(())
}

fn apart_by_key(
    entries: &[(Edn, Edn)],
    whole: &Edn,
    form: &Edn,
    made_up: &Cell<u32>,
    plain: &mut Vec<(Symbol, Edn)>,
) -> Result<(), QueryError> {
    let word = |key: &Edn| key.as_keyword().map(|k| k.name().to_string());
    let defaults = entries.iter().find(|(key, _)| *key == Edn::keyword("or"));
    let default_of = |name: &Edn| {
        let default = defaults.and_then(|(_, defaults)| defaults.get(name));
        default.cloned().unwrap_or(Edn::Nil)
    };
    for (key, value) in entries {
        match (word(key).as_deref(), value) {
            (Some("or"), _) => {}
            (Some("as"), name) => take_apart(name, whole.clone(), form, made_up, plain)?,
            (Some(kind @ ("keys" | "strs" | "syms")), Edn::Vector(names)) => {
                for name in names {
                    let local = local_name(name).ok_or_else(|| bad(form, "keys are names"))?;
                    let asked = match kind {
                        "keys" => Edn::keyword(&written(name)),
                        "strs" => Edn::string(&written(name)),
                        _ => call("quote", [Edn::symbol(&written(name))]),
                    };
                    let found = call("get", [whole.clone(), asked, default_of(&local)]);
                    take_apart(&local, found, form, made_up, plain)?;
                }
            }
            _ => {
                let found = call("get", [whole.clone(), value.clone(), default_of(key)]);
                take_apart(key, found, form, made_up, plain)?;
            }
        }
    }
    Ok(())
}

/// The name of `:keys [a]`, with its namespace, as text.
fn written(name: &Edn) -> String {
    match name {
        Edn::Value(Value::Symbol(s)) => s.as_str().to_string(),
        Edn::Value(Value::Keyword(k)) => k.as_str().to_string(),
        _ => String::new(),
    }
}

fn local_name(name: &Edn) -> Option<Edn> {
    match name {
        Edn::Value(Value::Symbol(s)) => Some(Edn::symbol(s.name())),
        Edn::Value(Value::Keyword(k)) => Some(Edn::symbol(k.name())),
        _ => None,
    }
}

/// Parameters as plain names, what takes patterns among them apart, and whether the last one is
/// the list of further arguments.
pub(super) fn plain_parameters(
    parameters: &[Edn],
    form: &Edn,
    made_up: &Cell<u32>,
) -> Result<(Vec<Symbol>, Vec<Edn>, bool), QueryError> {
    let (mut names, mut bindings, mut rest) = (Vec::new(), Vec::new(), false);
    for parameter in parameters {
        match parameter {
            Edn::Value(Value::Symbol(name)) if name.as_str() == "&" => rest = true,
            Edn::Value(Value::Symbol(name)) => names.push(name.clone()),
            Edn::Vector(_) | Edn::Map(_) => {
                let name = fresh(made_up);
                names.extend(name.as_symbol().cloned());
                bindings.extend([parameter.clone(), name]);
            }
            _ => return Err(bad(form, "parameters are names, vectors or maps of names")),
        }
    }
    Ok((names, bindings, rest))
}
