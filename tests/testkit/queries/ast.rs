//! The queries that are generated, as data: what the generator makes, the oracle answers, the
//! shrinker cuts, and `to_edn` writes. It knows no database.

use datomite::Edn;

/// A variable with its question mark.
pub type Var = &'static str;

/// A place of a pattern, or an argument of a rule call.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// `_`.
    Blank,
    /// `?name`.
    Var(Var),
    /// A value, an ident, a lookup ref; an entity is its id.
    Const(Edn),
}

/// An argument of a function.
#[derive(Clone, PartialEq, Debug)]
pub enum Arg {
    /// `?name`; also a variable that holds the log.
    Var(Var),
    /// A value.
    Const(Edn),
    /// `$name`.
    Source(&'static str),
    /// A vector literal with variables in it.
    Vector(Vec<Arg>),
}

/// `(name arg*)`.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The function.
    pub name: &'static str,
    /// What it is given.
    pub args: Vec<Arg>,
}

/// How a value is taken apart; `None` is `_`.
#[derive(Clone, PartialEq, Debug)]
pub enum Bind {
    /// `?x`
    Scalar(Var),
    /// `[?x _ ?y]`
    Tuple(Vec<Option<Var>>),
    /// `[?x ...]`
    Coll(Var),
    /// `[[?x _ ?y]]`
    Rel(Vec<Option<Var>>),
}

/// A condition.
#[derive(Clone, PartialEq, Debug)]
pub enum Clause {
    /// `[$s e a v tx added]`
    Pattern(Option<&'static str>, Vec<Term>),
    /// `[(f arg*)]`
    Predicate(Call),
    /// `[(f arg*) binding]`
    Function(Call, Bind),
    /// `[(q query $ arg*) [[…]]]`: the query, its values for `?in`, the binding.
    Nested(Box<Query>, Vec<Arg>, Bind),
    /// `($s name arg*)`
    Rule(Option<&'static str>, &'static str, Vec<Term>),
    /// `($s not clause*)`, or `not-join` with its variables.
    Not(Option<&'static str>, Option<Vec<Var>>, Vec<Clause>),
    /// `($s or branch*)`, or `or-join` with required and other variables.
    Or(
        Option<&'static str>,
        Option<(Vec<Var>, Vec<Var>)>,
        Vec<Vec<Clause>>,
    ),
}

/// One definition of a rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// How many variables of the head stand in brackets.
    pub required: usize,
    /// The variables of the head.
    pub head: Vec<Var>,
    /// The body.
    pub clauses: Vec<Clause>,
}

/// One argument of the query.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A source; which, the world knows by its name.
    Source(&'static str),
    /// `%`
    Rules,
    /// A value for variables.
    Value(Bind, Edn),
    /// A variable that holds the log.
    Log(Var),
    /// A pull pattern by its plain symbol.
    Pattern(&'static str, Edn),
}

/// One element of `:find`.
#[derive(Clone, PartialEq, Debug)]
pub enum Element {
    /// `?x`
    Var(Var),
    /// `(name n? ?x)`
    Aggregate(&'static str, Option<i64>, Var),
    /// `(pull $s ?x pattern)`; a pattern that is a symbol is an input.
    Pull(&'static str, Var, Edn),
}

/// The container of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spec {
    /// `?a ?b`
    Relation,
    /// `[?a ...]`
    Coll,
    /// `[?a ?b]`
    Tuple,
    /// `?a .`
    Scalar,
}

/// A query with its arguments.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// The container.
    pub spec: Spec,
    /// What is found.
    pub find: Vec<Element>,
    /// `:with`
    pub with: Vec<Var>,
    /// `:in` and the values.
    pub inputs: Vec<Input>,
    /// `:where`
    pub clauses: Vec<Clause>,
    /// What `%` holds.
    pub rules: Vec<Rule>,
    /// `:keys`, `:strs` or `:syms`, with names made from the places.
    pub keys: Option<&'static str>,
    /// `:order-by`: places of `find`, and whether descending.
    pub order: Vec<(usize, bool)>,
    /// `:limit`
    pub limit: Option<usize>,
    /// `:offset`
    pub offset: usize,
}

fn source(name: &'static str) -> Edn {
    Edn::symbol(name)
}

fn symbols(vars: &[Var]) -> Vec<Edn> {
    vars.iter().map(|var| Edn::symbol(var)).collect()
}

fn slots(vars: &[Option<Var>]) -> Vec<Edn> {
    vars.iter()
        .map(|var| Edn::symbol(var.unwrap_or("_")))
        .collect()
}

impl Term {
    fn to_edn(&self) -> Edn {
        match self {
            Term::Blank => Edn::symbol("_"),
            Term::Var(name) => Edn::symbol(name),
            Term::Const(form) => form.clone(),
        }
    }

    /// The variable, if it is one.
    pub fn var(&self) -> Option<Var> {
        match self {
            Term::Var(name) => Some(name),
            _ => None,
        }
    }
}

impl Arg {
    fn to_edn(&self) -> Edn {
        match self {
            Arg::Var(name) | Arg::Source(name) => Edn::symbol(name),
            Arg::Const(form) => form.clone(),
            Arg::Vector(args) => Edn::Vector(args.iter().map(Arg::to_edn).collect()),
        }
    }

    /// Adds the variables.
    pub fn vars(&self, into: &mut Vec<Var>) {
        match self {
            Arg::Var(name) => into.push(name),
            Arg::Vector(args) => args.iter().for_each(|arg| arg.vars(into)),
            Arg::Const(_) | Arg::Source(_) => {}
        }
    }
}

impl Call {
    fn to_edn(&self) -> Edn {
        let args = self.args.iter().map(Arg::to_edn);
        Edn::List(
            std::iter::once(Edn::symbol(self.name))
                .chain(args)
                .collect(),
        )
    }

    /// The variables that it reads.
    pub fn vars(&self) -> Vec<Var> {
        let mut into = Vec::new();
        self.args.iter().for_each(|arg| arg.vars(&mut into));
        into
    }
}

impl Bind {
    /// The form.
    pub fn to_edn(&self) -> Edn {
        match self {
            Bind::Scalar(name) => Edn::symbol(name),
            Bind::Tuple(vars) => Edn::Vector(slots(vars)),
            Bind::Coll(name) => Edn::Vector(symbols(&[name, "..."])),
            Bind::Rel(vars) => Edn::Vector(vec![Edn::Vector(slots(vars))]),
        }
    }

    /// The variables that it binds.
    pub fn vars(&self) -> Vec<Var> {
        match self {
            Bind::Scalar(name) | Bind::Coll(name) => vec![name],
            Bind::Tuple(vars) | Bind::Rel(vars) => vars.iter().flatten().copied().collect(),
        }
    }
}

fn clause_forms(clauses: &[Clause]) -> impl Iterator<Item = Edn> {
    clauses.iter().map(Clause::to_edn)
}

fn branch_form(branch: &[Clause]) -> Edn {
    match branch {
        [only] => only.to_edn(),
        _ => Edn::List(
            std::iter::once(Edn::symbol("and"))
                .chain(clause_forms(branch))
                .collect(),
        ),
    }
}

impl Clause {
    /// The clause as a user writes it.
    pub fn to_edn(&self) -> Edn {
        match self {
            Clause::Pattern(of, terms) => {
                let terms = terms.iter().map(Term::to_edn);
                Edn::Vector(of.iter().map(|s| source(s)).chain(terms).collect())
            }
            Clause::Predicate(call) => Edn::Vector(vec![call.to_edn()]),
            Clause::Function(call, bind) => Edn::Vector(vec![call.to_edn(), bind.to_edn()]),
            Clause::Nested(query, args, bind) => {
                let quoted = Edn::List(vec![Edn::symbol("quote"), query.to_edn()]);
                let mut items = vec![Edn::symbol("q"), quoted, source("$")];
                items.extend(args.iter().map(Arg::to_edn));
                Edn::Vector(vec![Edn::List(items), bind.to_edn()])
            }
            Clause::Rule(of, name, args) => {
                let mut items: Vec<Edn> = of.iter().map(|s| source(s)).collect();
                items.push(Edn::symbol(name));
                items.extend(args.iter().map(Term::to_edn));
                Edn::List(items)
            }
            Clause::Not(of, join, clauses) => {
                let mut items: Vec<Edn> = of.iter().map(|s| source(s)).collect();
                items.push(Edn::symbol(if join.is_some() { "not-join" } else { "not" }));
                items.extend(join.iter().map(|vars| Edn::Vector(symbols(vars))));
                items.extend(clause_forms(clauses));
                Edn::List(items)
            }
            Clause::Or(of, join, branches) => {
                let mut items: Vec<Edn> = of.iter().map(|s| source(s)).collect();
                items.push(Edn::symbol(if join.is_some() { "or-join" } else { "or" }));
                if let Some((required, others)) = join {
                    let mut vars = symbols(others);
                    if !required.is_empty() {
                        vars.insert(0, Edn::Vector(symbols(required)));
                    }
                    items.push(Edn::Vector(vars));
                }
                items.extend(branches.iter().map(|branch| branch_form(branch)));
                Edn::List(items)
            }
        }
    }

    /// Adds the variables that the clause shares with those beside it.
    pub fn vars(&self, into: &mut Vec<Var>) {
        match self {
            Clause::Pattern(_, terms) | Clause::Rule(_, _, terms) => {
                into.extend(terms.iter().filter_map(Term::var));
            }
            Clause::Predicate(call) => into.extend(call.vars()),
            Clause::Function(call, bind) => {
                into.extend(call.vars());
                into.extend(bind.vars());
            }
            Clause::Nested(_, args, bind) => {
                args.iter().for_each(|arg| arg.vars(into));
                into.extend(bind.vars());
            }
            Clause::Not(_, Some(join), _) => into.extend(join),
            Clause::Not(_, None, clauses) => clauses.iter().for_each(|c| c.vars(into)),
            Clause::Or(_, Some((required, others)), _) => {
                into.extend(required);
                into.extend(others);
            }
            Clause::Or(_, None, branches) => {
                branches
                    .iter()
                    .flatten()
                    .for_each(|clause| clause.vars(into));
            }
        }
    }

    /// What kind of clause it is, for the counts.
    pub fn kind(&self) -> &'static str {
        match self {
            Clause::Pattern(None, _) => "pattern",
            Clause::Pattern(Some(_), _) => "pattern on a source",
            Clause::Predicate(_) => "predicate",
            Clause::Function(_, Bind::Scalar(_)) => "function, scalar",
            Clause::Function(_, Bind::Tuple(_)) => "function, tuple",
            Clause::Function(_, Bind::Coll(_)) => "function, collection",
            Clause::Function(_, Bind::Rel(_)) => "function, relation",
            Clause::Nested(..) => "nested q",
            Clause::Rule(None, ..) => "rule",
            Clause::Rule(Some(_), ..) => "rule on a source",
            Clause::Not(_, None, _) => "not",
            Clause::Not(_, Some(_), _) => "not-join",
            Clause::Or(_, None, _) => "or",
            Clause::Or(_, Some((required, _)), _) if required.is_empty() => "or-join",
            Clause::Or(..) => "or-join, required",
        }
    }

    /// Calls `see` with the clause and all inside it.
    pub fn each(&self, see: &mut dyn FnMut(&Clause)) {
        see(self);
        match self {
            Clause::Not(_, _, clauses) => clauses.iter().for_each(|c| c.each(see)),
            Clause::Or(_, _, branches) => branches.iter().flatten().for_each(|c| c.each(see)),
            Clause::Nested(query, ..) => query.clauses.iter().for_each(|c| c.each(see)),
            _ => {}
        }
    }
}

impl Rule {
    fn to_edn(&self) -> Edn {
        let (required, others) = self.head.split_at(self.required);
        let mut head = vec![Edn::symbol(self.name)];
        if !required.is_empty() {
            head.push(Edn::Vector(symbols(required)));
        }
        head.extend(symbols(others));
        let head = std::iter::once(Edn::List(head));
        Edn::Vector(head.chain(clause_forms(&self.clauses)).collect())
    }
}

impl Element {
    fn to_edn(&self) -> Edn {
        match self {
            Element::Var(name) => Edn::symbol(name),
            Element::Aggregate(name, n, var) => {
                let mut items = vec![Edn::symbol(name)];
                items.extend(n.map(Edn::long));
                items.push(Edn::symbol(var));
                Edn::List(items)
            }
            Element::Pull(of, var, pattern) => Edn::List(vec![
                Edn::symbol("pull"),
                source(of),
                Edn::symbol(var),
                pattern.clone(),
            ]),
        }
    }

    /// The variable that it reads.
    pub fn var(&self) -> Var {
        match self {
            Element::Var(var) | Element::Aggregate(_, _, var) | Element::Pull(_, var, _) => var,
        }
    }
}

impl Input {
    fn form(&self) -> Edn {
        match self {
            Input::Source(name) | Input::Log(name) | Input::Pattern(name, _) => Edn::symbol(name),
            Input::Rules => Edn::symbol("%"),
            Input::Value(bind, _) => bind.to_edn(),
        }
    }
}

impl Query {
    /// The name of a column for `:keys`.
    pub fn key(at: usize) -> &'static str {
        ["one", "two", "three", "four"][at]
    }

    /// The query as a user writes it, without its arguments.
    pub fn to_edn(&self) -> Edn {
        let mut find: Vec<Edn> = self.find.iter().map(Element::to_edn).collect();
        match self.spec {
            Spec::Relation => {}
            Spec::Scalar => find.push(Edn::symbol(".")),
            Spec::Tuple => find = vec![Edn::Vector(find)],
            Spec::Coll => {
                find.push(Edn::symbol("..."));
                find = vec![Edn::Vector(find)];
            }
        }
        let mut items = vec![Edn::keyword("find")];
        items.extend(find);
        let mut section = |name: &str, forms: Vec<Edn>| {
            if !forms.is_empty() {
                items.push(Edn::keyword(name));
                items.extend(forms);
            }
        };
        if let Some(kind) = self.keys {
            let names = (0..self.find.len()).map(|at| Edn::symbol(Query::key(at)));
            section(kind, names.collect());
        }
        section("with", symbols(&self.with));
        section("in", self.inputs.iter().map(Input::form).collect());
        section("where", clause_forms(&self.clauses).collect());
        let order = self.order.iter().flat_map(|(at, descending)| {
            let direction = if *descending { "desc" } else { "asc" };
            [self.find[*at].to_edn(), Edn::keyword(direction)]
        });
        let order: Vec<Edn> = order.collect();
        if !order.is_empty() {
            section("order-by", vec![Edn::Vector(order)]);
        }
        section(
            "limit",
            self.limit.iter().map(|n| Edn::long(*n as i64)).collect(),
        );
        if self.offset > 0 {
            section("offset", vec![Edn::long(self.offset as i64)]);
        }
        Edn::Vector(items)
    }

    /// The rules as `%` is given them.
    pub fn rules_edn(&self) -> Edn {
        Edn::Vector(self.rules.iter().map(Rule::to_edn).collect())
    }

    /// Calls `see` with every clause, those of rules too.
    pub fn each(&self, see: &mut dyn FnMut(&Clause)) {
        let bodies = self.rules.iter().flat_map(|rule| &rule.clauses);
        self.clauses
            .iter()
            .chain(bodies)
            .for_each(|clause| clause.each(see));
    }
}
