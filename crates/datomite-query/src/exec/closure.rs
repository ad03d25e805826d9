//! Transitive closure of a reference attribute: a search from each source over an adjacency.
//!
//! The edges are read once, entities numbered, and each source searched with a stamp per entity, so
//! that a round costs only the edges it walks. Sources bound on the second argument search
//! backwards. Used where the edges are few for the sources; else the fixpoint asks the index.

use datomite_db::KeyRange;
use datomite_model::Index;
use rustc_hash::FxHashMap;

use super::Exec;
use crate::QueryError;
use crate::ast::Var;
use crate::meet::Meet;
use crate::options::Limits;
use crate::plan::{Closure, Mask, Source};
use crate::relation::{Col, Kind, Relation};

/// Up to this many edges an adjacency is made for a single source.
const EDGES_MAX: u64 = 50_000;
/// More edges than this are searched only for many sources.
const EDGES_PER_SOURCE: u64 = 64;

/// Edges by the number of where they start.
struct Graph {
    numbers: FxHashMap<u64, u32>,
    ids: Vec<u64>,
    starts: Vec<u32>,
    ends: Vec<u32>,
}

impl Exec<'_> {
    /// The closure for the asked arguments; `None` where the fixpoint is the better way.
    pub(super) fn closure(
        &self,
        closure: &Closure,
        mask: Mask,
        asked: &Relation,
    ) -> Result<Option<Relation>, QueryError> {
        let Source::Db(db) = &self.env.sources[closure.source].1 else {
            return Ok(None);
        };
        let backwards = !mask.has(0) && mask.has(1);
        let key = Var(u32::from(backwards));
        let sources = match asked.col(key) {
            None => None,
            Some(col) => match col.ids(asked.len) {
                Some(ids) => Some(ids),
                None => return Ok(None),
            },
        };
        if let Some(other) = asked.col(Var(1)).filter(|_| mask.has(0))
            && other.ids(0).is_none()
        {
            return Ok(None);
        }
        let range = KeyRange::prefix(None, Some(closure.attribute.id), None);
        let edges = db.count(Index::Aevt, &range)?;
        let few = sources
            .as_ref()
            .is_some_and(|ids| edges > EDGES_MAX && ids.len() as u64 * EDGES_PER_SOURCE < edges);
        if few {
            return Ok(None);
        }
        let mut runs = db.runs(Index::Aevt, &range);
        let (mut from, mut to) = (Vec::new(), Vec::new());
        while let Some(run) = runs.next()? {
            self.limits.look()?;
            run.read_e(0..run.len(), &mut from);
            to.extend((0..run.len()).map(|row| match run.v(row) {
                datomite_model::ValueRef::Ref(id) => id.raw(),
                other => other.to_value().as_ref_id().map_or(0, |id| id.raw()),
            }));
        }
        // The rule's first argument is where a search starts, unless it goes backwards.
        let graph = match closure.reversed != backwards {
            false => Graph::new(&from, &to, self.limits)?,
            true => Graph::new(&to, &from, self.limits)?,
        };
        let mut found = self.search(&graph, sources)?;
        let both = mask.has(0) && mask.has(1);
        found.vars = match backwards {
            false => vec![Var(0), Var(1)],
            true => vec![Var(1), Var(0)],
        };
        found.key = Some(vec![Var(0), Var(1)]);
        if both {
            let both = [Var(0), Var(1)];
            found = super::join::semi(found, asked, &both, true, Meet::Same, self.limits)?;
        }
        Ok(Some(found.select(&[Var(0), Var(1)])))
    }

    fn search(&self, graph: &Graph, sources: Option<Vec<u64>>) -> Result<Relation, QueryError> {
        let sources: Vec<u32> = match sources {
            None => (0..graph.starts.len() as u32 - 1).collect(),
            Some(ids) => {
                let known = ids.iter().filter_map(|id| graph.numbers.get(id));
                let mut known: Vec<u32> = known.copied().collect();
                known.sort_unstable();
                known.dedup();
                known
            }
        };
        let mut stamps = vec![u32::MAX; graph.ids.len()];
        let (mut a, mut b): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
        let mut open: Vec<u32> = Vec::new();
        for source in sources {
            let before = b.len();
            open.push(source);
            while let Some(at) = open.pop() {
                self.limits.tick()?;
                for next in graph.from(at) {
                    if stamps[*next as usize] != source {
                        stamps[*next as usize] = source;
                        open.push(*next);
                        b.push(graph.ids[*next as usize]);
                    }
                }
            }
            a.resize(b.len(), graph.ids[source as usize]);
            if b.len() > before {
                self.limits.rows(b.len())?;
                self.limits
                    .bytes(2 * size_of::<u64>() as u64 * b.len() as u64)?;
            }
        }
        let len = a.len();
        let cols = vec![Col::Word(Kind::Ref, a), Col::Word(Kind::Ref, b)];
        Ok(Relation::new(vec![Var(0), Var(1)], cols, len))
    }
}

impl Graph {
    fn new(from: &[u64], to: &[u64], limits: &Limits) -> Result<Graph, QueryError> {
        let mut numbers: FxHashMap<u64, u32> = FxHashMap::default();
        let mut ids: Vec<u64> = Vec::new();
        let mut number = |id: u64| {
            *numbers.entry(id).or_insert_with(|| {
                ids.push(id);
                ids.len() as u32 - 1
            })
        };
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(from.len());
        for (a, b) in from.iter().zip(to) {
            limits.tick()?;
            pairs.push((number(*a), number(*b)));
        }
        let mut starts = vec![0u32; ids.len() + 1];
        for (a, _) in &pairs {
            starts[*a as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut ends = vec![0u32; pairs.len()];
        for (a, b) in pairs {
            ends[next[a as usize] as usize] = b;
            next[a as usize] += 1;
        }
        Ok(Graph {
            numbers,
            ids,
            starts,
            ends,
        })
    }

    fn from(&self, at: u32) -> &[u32] {
        let (low, high) = (self.starts[at as usize], self.starts[at as usize + 1]);
        &self.ends[low as usize..high as usize]
    }
}
