//! Tests of the built-in kinds as graphs against their Burn modules.

use super::*;
use crate::nets::{Network, NetworkShape};
use crate::session::config::NetworkKind;
use crate::session::record::NetworkWeights;

/// Square grey images with ten classes, and non-square colour images with seven.
const PORTS: [NetworkShape; 2] = [
    NetworkShape {
        image: [1, 28, 28],
        classes: 10,
    },
    NetworkShape {
        image: [3, 19, 26],
        classes: 7,
    },
];

/// Every kind for each of these, as a module and as a graph, with normalizations that are not the identity.
fn networks(device: &Device) -> Vec<(NetworkKind, Network, Graph)> {
    let pairs = NetworkKind::ALL.into_iter();
    let pairs = pairs.flat_map(|kind| PORTS.map(|ports| (kind, ports)));
    pairs
        .map(|(kind, ports)| {
            let drawn = Network::new(kind, ports, 3, device).weights();
            let tensors = drawn.tensors.into_iter().map(|(name, values)| {
                let values = match name.starts_with("norm") {
                    true => {
                        let size = array(values.shape(), 9);
                        let size = size.values().iter().map(|x| x.abs() + 0.2);
                        Array::new(values.shape(), size.collect())
                    }
                    false => values,
                };
                (name, values)
            });
            let weights = NetworkWeights {
                tensors: tensors.collect(),
            };
            let network = Network::with_weights(kind, ports, &weights, device).unwrap();
            let graph = Graph::for_kind(kind, ports, &weights).unwrap();
            (kind, network, graph)
        })
        .collect()
}

fn assert_close(found: &[f32], expected: &[f32], case: &str) {
    assert_eq!(found.len(), expected.len(), "{case}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{case}: {a} {b}");
    }
}

fn noise(n: usize, image: Shape, device: &Device) -> Tensor<4> {
    images(n, image, 7, device) * 0.5 + 0.5
}

#[test]
fn logits_equal_those_of_the_module() {
    let device = Device::flex();
    for (kind, network, graph) in networks(&device) {
        let images = noise(4, graph.image(), &device);
        let wanted = host(network.forward(images.clone()));
        let slow = host(graph.load(&device).forward(images.clone()));
        assert_close(&slow, &wanted, kind.label());
        let fast = host(graph.fast().unwrap().graph.load(&device).forward(images));
        assert_eq!(fast, wanted, "{kind:?}, to the bit");
    }
}

/// Name, units, field, positions and whether activations may be negative, for square grey images.
type Layer = (&'static str, usize, usize, usize, bool);

/// The layers of every kind on images of 28×28, by hand.
fn layers(kind: NetworkKind) -> Vec<Layer> {
    match kind {
        // A unit of `conv2` sees 5×5 pooled positions, each the maximum of 2×2 fields of 5×5.
        NetworkKind::Cnn => vec![
            ("conv1", 20, 5, 24, false),
            ("conv2", 50, 14, 8, false),
            ("fc1", 500, 28, 1, false),
            ("logits", 10, 28, 1, true),
        ],
        NetworkKind::Mlp => vec![("fc1", 1000, 28, 1, false), ("logits", 10, 28, 1, true)],
        NetworkKind::Logistic => vec![("logits", 10, 28, 1, true)],
        NetworkKind::Rnn => vec![
            ("lstm1", 128, 28, 1, true),
            ("lstm2", 128, 28, 1, true),
            ("logits", 10, 28, 1, true),
        ],
        NetworkKind::Simple => vec![
            ("conv1", 32, 3, 28, true),
            ("conv2", 64, 5, 28, true),
            ("fc1", 128, 28, 1, true),
            ("logits", 10, 28, 1, true),
        ],
        NetworkKind::Complex => vec![
            ("conv1", 32, 3, 28, true),
            ("norm1", 32, 3, 28, true),
            ("conv2", 64, 5, 28, true),
            ("conv3", 64, 7, 28, true),
            ("fc1", 128, 28, 1, true),
            ("logits", 10, 28, 1, true),
        ],
        NetworkKind::Onnx => Vec::new(),
    }
}

#[test]
fn sites_are_the_layers_of_the_kind() {
    let device = Device::flex();
    for (kind, network, graph) in networks(&device) {
        let sites = graph.sites();
        let wanted = layers(kind);
        let names = |all: &[Layer]| all.iter().map(|layer| layer.0).collect::<Vec<_>>();
        let found: Vec<&str> = sites.iter().map(|site| site.name.as_str()).collect();
        assert_eq!(found, names(&wanted), "{kind:?}");
        for (site, &(name, units, field, positions, signed)) in sites.iter().zip(&wanted) {
            let case = format!("{kind:?} {name}");
            let grey = graph.image() == PORTS[0].image;
            assert_eq!(site.signed, signed, "{case}");
            assert_eq!(site.is_logits, name == "logits", "{case}");
            if grey {
                assert_eq!(site.units, units, "{case}");
                assert_eq!(site.field_size(), (field, field), "{case}");
                assert_eq!(site.positions, (positions, positions), "{case}");
            }
        }
        // The last one gives the logits.
        let images = noise(2, graph.image(), &device);
        let last = [sites.last().unwrap().clone()];
        let found = graph.load(&device).activations(images.clone(), &last);
        let wanted = host(network.forward(images));
        assert_close(&host(found[0].clone()), &wanted, kind.label());
    }
}

#[test]
fn the_positions_whose_fields_lie_inside_the_image_are_correct() {
    let device = Device::flex();
    let inner = |kind: NetworkKind, layer: usize| {
        let all = networks(&device);
        let (_, _, graph) = all.into_iter().find(|network| network.0 == kind).unwrap();
        graph.sites()[layer].inner_positions()
    };
    // Without padding, all positions; their fields are two pixels apart after pooling.
    let conv2 = inner(NetworkKind::Cnn, 1);
    assert_eq!(conv2.len(), 64);
    let last = conv2.last().unwrap();
    assert_eq!((last.row, last.column, last.top, last.left), (7, 7, 14, 14));
    // With padding, those away from the border.
    let padded = inner(NetworkKind::Simple, 1);
    assert_eq!(padded.len(), 24 * 24);
    let first = padded[0];
    assert_eq!(
        (first.row, first.column, first.top, first.left),
        (2, 2, 0, 0)
    );
}

#[test]
fn a_rewritten_graph_is_pushed_at_the_nodes_it_keeps() {
    let device = Device::flex();
    for (kind, _, graph) in networks(&device) {
        let images = noise(2, graph.image(), &device);
        let fast = graph.fast().unwrap();
        for site in graph.sites() {
            let (node, axis) = site.push.unwrap();
            let Some(kept) = fast.new_ids[node.0] else {
                // Its normalization was folded into it.
                assert_eq!((kind, site.name.as_str()), (NetworkKind::Complex, "conv1"));
                continue;
            };
            let delta = numbers(site.units, 8);
            let loaded = fast.graph.load(&device).pushed(kept, axis, &delta).unwrap();
            let found = host(loaded.forward(images.clone()));
            let loaded = graph.load(&device).pushed_at(&site, &delta).unwrap();
            let wanted = host(loaded.forward(images.clone()));
            assert_close(&found, &wanted, &format!("{kind:?} {}", site.name));
        }
    }
}

#[test]
fn a_missing_weight_and_too_small_an_image_are_reported() {
    let ports = PORTS[0];
    let device = Device::flex();
    let mut weights = Network::new(NetworkKind::Cnn, ports, 3, &device).weights();
    let small = NetworkShape {
        image: [1, 8, 8],
        ..ports
    };
    let error = Graph::for_kind(NetworkKind::Cnn, small, &weights).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Conv at `conv2`: its windows are 5 long, which is more than 2 plus 0 of padding"
    );
    weights.tensors.remove(0);
    let error = Graph::for_kind(NetworkKind::Cnn, ports, &weights).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`conv1` needs the weight `conv1.weight`, which is missing"
    );
}
