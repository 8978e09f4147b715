//! The crate `ct-merkle`: a tree built from the published entries alone.

use super::{Exhibit, Verdict, Verifier, Who, bundle_at, head_of, leaves_of, read};
use ct_merkle::RootHash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proof::Hash;
use sha2::Sha256;

pub(super) struct Merkle;

impl Verifier for Merkle {
    fn who(&self) -> Who {
        Who::Merkle
    }

    fn judge(&mut self, exhibit: &Exhibit<'_>) -> Result<Verdict, String> {
        // Without all entries it has no tree.
        Ok(match exhibit.complete {
            true => Verdict::of(verify(exhibit)),
            false => Verdict::Holds,
        })
    }
}

fn verify(exhibit: &Exhibit<'_>) -> Result<(), String> {
    let note = read(exhibit.dir, "checkpoint")?.ok_or("no checkpoint")?;
    let (_, size, root) = head_of(&note)?;
    let mut tree: MemoryBackedTree<Sha256, Vec<u8>> = MemoryBackedTree::new();
    for index in 0..size.div_ceil(256) {
        let (path, width) = bundle_at(index, size);
        let bundle = read(exhibit.dir, &path)?.ok_or_else(|| format!("{path} is missing"))?;
        let leaves = leaves_of(&bundle)?;
        if u64::try_from(leaves.len()) != Ok(width) {
            return Err(format!(
                "{path} has {} entries, {width} are due",
                leaves.len()
            ));
        }
        leaves.iter().for_each(|leaf| tree.push(leaf.to_vec()));
    }
    let built = tree.root();
    let stated = Hash::from_base64(&root).ok_or("the root is no hash")?;
    if built.as_bytes()[..] != stated.0[..] {
        return Err("the entries lead to another root".to_owned());
    }
    let Some((seal, _)) = exhibit.known else {
        return Ok(());
    };
    let added = size.checked_sub(seal.size).ok_or("rolled back")?;
    if seal.size == 0 {
        return Ok(());
    }
    let old = RootHash::<Sha256>::new(seal.root.0.into(), seal.size);
    let added = usize::try_from(added).map_err(|error| error.to_string())?;
    built
        .verify_consistency(&old, &tree.prove_consistency(added))
        .map_err(|error| format!("a fork: {error:?}"))
}
