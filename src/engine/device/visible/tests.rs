//! Tests of matching CUDA's devices to NVML's cards.

use super::*;

/// Whole cards of these models, with UUIDs that begin with `GPU-a0`, `GPU-a1` and so on.
fn cards(names: &[&str]) -> Vec<Card> {
    let card = |(index, name): (usize, &&str)| Card {
        index: index as u32,
        uuid: format!("GPU-a{index}32f937-d72c-4106-c12f-20bd9faed9f6"),
        name: (*name).to_owned(),
        ..Card::default()
    };
    names.iter().enumerate().map(card).collect()
}

/// The card in MIG mode with this many slices, whose UUIDs begin with `MIG-b`, the card and the slice.
fn divided(mut card: Card, slices: u32) -> Card {
    card.divided = true;
    let slice = |index| Slice {
        index,
        uuid: format!(
            "MIG-b{}{index}4f1ef-42e4-5de3-91c7-45d71c87eb3f",
            card.index
        ),
    };
    card.slices = (0..slices).map(slice).collect();
    card
}

fn same_model() -> Vec<Card> {
    cards(&["NVIDIA H100"; 4])
}

fn listed(listed: &str) -> CudaEnvironment {
    CudaEnvironment {
        listed: Some(listed.to_owned()),
        ..CudaEnvironment::default()
    }
}

/// NVML's numbers of the cards that a list shows, and why it ended early.
fn shown(list: &str, cards: &[Card]) -> (Vec<Option<u32>>, String) {
    let visible = VisibleDevices::new(&listed(list), cards);
    let numbers = visible.places.iter().map(NvmlPlace::card).collect();
    (numbers, visible.ended_because.unwrap_or_default())
}

fn known(numbers: &[u32]) -> Vec<Option<u32>> {
    numbers.iter().map(|&number| Some(number)).collect()
}

#[test]
fn without_a_list_cards_of_one_model_are_in_the_order_of_the_bus() {
    let mut cards = same_model();
    // NVML need not number in bus order.
    cards.swap(0, 1);
    let visible = VisibleDevices::new(&CudaEnvironment::default(), &cards);
    let numbers: Vec<Option<u32>> = visible.places.iter().map(NvmlPlace::card).collect();
    assert_eq!(numbers, known(&[1, 0, 2, 3]));
    assert_eq!(visible.ended_because, None);
    assert_eq!(visible.place(4), None);
}

#[test]
fn numbers_keep_the_order_of_the_list() {
    assert_eq!(shown("2,0", &same_model()), (known(&[2, 0]), String::new()));
    assert_eq!(
        shown(" 3 , 1 ", &same_model()),
        (known(&[3, 1]), String::new())
    );
    // As C parses numbers.
    assert_eq!(shown("1gpu,+2", &same_model()).0, known(&[1, 2]));
}

#[test]
fn a_list_ends_at_the_first_entry_that_names_nothing() {
    let (numbers, why) = shown("0,7,1", &same_model());
    assert_eq!(numbers, known(&[0]));
    assert!(
        why.contains("names GPU 7") && why.contains("0 to 3"),
        "{why}"
    );
    let (numbers, why) = shown("0,2,-1,1", &same_model());
    assert_eq!(numbers, known(&[0, 2]));
    assert!(why.contains("`-1`"), "{why}");
    let (numbers, why) = shown("first", &same_model());
    assert!(numbers.is_empty() && why.contains("`first`"), "{why}");
    let (numbers, why) = shown("1,GPU-a2", &same_model());
    assert_eq!(numbers, known(&[1]));
    assert!(why.contains("`GPU-a2`"), "{why}");
    assert!(shown("99999999999999999999", &same_model()).0.is_empty());
}

#[test]
fn a_list_that_hides_every_card_is_reported_with_the_next_step() {
    for list in ["", "  ", "-1", "5"] {
        let (numbers, why) = shown(list, &same_model());
        assert!(numbers.is_empty(), "{list}");
        assert!(why.contains("unset CUDA_VISIBLE_DEVICES"), "{why}");
    }
    let slurm = |list: &str| CudaEnvironment {
        slurm: true,
        ..listed(list)
    };
    for list in ["", "NoDevFiles"] {
        let why = VisibleDevices::new(&slurm(list), &same_model())
            .ended_because
            .unwrap();
        assert!(why.contains("--gres=gpu:1"), "{why}");
        assert!(!why.contains("unset"), "{why}");
    }
}

#[test]
fn a_device_named_twice_hides_every_one() {
    for list in ["0,1,0", "GPU-a1,GPU-a132f937", "GPU-a1,GPU-a1"] {
        let (numbers, why) = shown(list, &same_model());
        assert!(numbers.is_empty(), "{list}");
        assert!(why.contains("twice"), "{why}");
    }
    // Entries after the end of the list do not count.
    assert_eq!(shown("0,-1,0", &same_model()).0, known(&[0]));
    // Even if its card is unknown.
    let (numbers, why) = shown("1,1", &cards(&["NVIDIA H100", "NVIDIA T4"]));
    assert!(numbers.is_empty() && why.contains("twice"), "{why}");
}

#[test]
fn a_uuid_may_be_shortened_if_only_one_card_matches() {
    let whole = "GPU-a232f937-d72c-4106-c12f-20bd9faed9f6,GPU-a0";
    assert_eq!(shown(whole, &same_model()).0, known(&[2, 0]));
    let (numbers, why) = shown("GPU-a1,GPU-a", &same_model());
    assert_eq!(numbers, known(&[1]));
    assert!(why.contains("several"), "{why}");
    let (numbers, why) = shown("GPU-ffff", &same_model());
    assert!(numbers.is_empty() && why.contains("`GPU-ffff`"), "{why}");
    let (numbers, why) = shown("GPU-a1,0", &same_model());
    assert_eq!(numbers, known(&[1]));
    assert!(why.contains("one kind"), "{why}");
}

#[test]
fn numbers_among_several_models_are_unknown_unless_the_bus_orders_them() {
    let cards = cards(&["NVIDIA T4", "NVIDIA H100"]);
    let unknown = VisibleDevices::new(&listed("0"), &cards);
    let remark = unknown.place(0).unwrap().remark().unwrap();
    assert!(remark.contains("CUDA_DEVICE_ORDER=PCI_BUS_ID"), "{remark}");
    assert_eq!(
        VisibleDevices::new(&CudaEnvironment::default(), &cards)
            .places
            .len(),
        2
    );
    for (order, places) in [
        ("PCI_BUS_ID", known(&[1, 0])),
        ("FASTEST_FIRST", vec![None, None]),
    ] {
        let setting = CudaEnvironment {
            order: Some(order.into()),
            ..listed("1,0")
        };
        let visible = VisibleDevices::new(&setting, &cards);
        let numbers: Vec<Option<u32>> = visible.places.iter().map(NvmlPlace::card).collect();
        assert_eq!(numbers, places, "{order}");
    }
    // A UUID does not depend on the order.
    assert_eq!(shown("GPU-a1", &cards).0, known(&[1]));
    // Unknown names may be of any model.
    assert_eq!(shown("0", &self::cards(&["", ""])).0, [None]);
    assert_eq!(shown("0", &self::cards(&[""])).0, known(&[0]));
}

#[test]
fn a_slice_is_found_by_its_uuid_and_named_by_its_card() {
    let mut cards = same_model();
    cards[2] = divided(cards[2].clone(), 3);
    let visible = VisibleDevices::new(&listed("MIG-b214f1ef"), &cards);
    let slice = NvmlPlace::Slice {
        parent: 2,
        slice: Some(1),
    };
    assert!(slice.remark().unwrap().contains("load is not available"));
    assert_eq!(visible.places, [slice]);
    // The format of older drivers names the card.
    let old = "MIG-GPU-a232f937-d72c-4106-c12f-20bd9faed9f6/1/0";
    assert_eq!(shown(old, &cards).0, known(&[2]));
    for list in [
        "MIG-ffff",
        "MIG-GPU-ffff/1/0",
        "MIG-GPU-a032f937-d72c-4106-c12f-20bd9faed9f6/1/0",
    ] {
        let (numbers, why) = shown(list, &cards);
        assert!(numbers.is_empty() && why.contains("no MIG slice"), "{why}");
    }
    let (numbers, why) = shown("MIG-b2", &cards);
    assert!(numbers.is_empty() && why.contains("several"), "{why}");
    // The card itself: an unknown slice of it.
    let whole = VisibleDevices::new(&listed("GPU-a2"), &cards);
    assert_eq!(whole.places[0].card(), Some(2));
    assert!(matches!(
        whole.places[0],
        NvmlPlace::Slice { slice: None, .. }
    ));
}

#[test]
fn a_slice_unknown_to_nvml_belongs_to_the_only_possible_card() {
    let mut cards = same_model();
    cards[3] = divided(cards[3].clone(), 0);
    assert_eq!(shown("MIG-c6d4f1ef", &cards).0, known(&[3]));
    cards[1] = divided(cards[1].clone(), 0);
    assert_eq!(shown("MIG-c6d4f1ef", &cards).0, [None]);
}

#[test]
fn numbers_beside_slices_are_unknown_unless_there_is_one_card() {
    let one = [divided(same_model().remove(0), 1)];
    let slice = NvmlPlace::Slice {
        parent: 0,
        slice: Some(0),
    };
    for setting in [listed("0"), CudaEnvironment::default()] {
        let visible = VisibleDevices::new(&setting, &one);
        assert_eq!(visible.places.len(), 1);
        assert_eq!(visible.place(0), Some(&slice));
    }
    let mut cards = same_model();
    cards[0] = divided(cards[0].clone(), 2);
    assert_eq!(shown("1", &cards).0, [None]);
    // CUDA shows only a slice, whose card is known.
    let visible = VisibleDevices::new(&CudaEnvironment::default(), &cards);
    assert_eq!(visible.places.len(), 1);
    assert_eq!(visible.places[0].card(), Some(0));
    cards[1] = divided(cards[1].clone(), 2);
    let visible = VisibleDevices::new(&CudaEnvironment::default(), &cards);
    assert_eq!(visible.places[0].card(), None);
    // All cards are divided and there is no slice.
    let none = [divided(same_model().remove(0), 0)];
    let visible = VisibleDevices::new(&CudaEnvironment::default(), &none);
    assert!(visible.places.is_empty());
    assert!(visible.ended_because.unwrap().contains("nvidia-smi mig"));
}

#[test]
fn if_cuda_counts_differently_no_card_is_shown() {
    let visible = VisibleDevices::new(&listed("0,1"), &same_model());
    assert_eq!(visible.clone().check_count(2), visible);
    let other = visible.check_count(1);
    assert_eq!(other.places.len(), 1);
    assert!(other.places[0].remark().unwrap().contains("UUID"));
    // Of several slices a process is shown the first.
    let cards = [divided(same_model().remove(0), 2)];
    let visible = VisibleDevices::new(&listed("MIG-b00,MIG-b01"), &cards);
    assert_eq!(visible.places.len(), 2);
    let counted = visible.check_count(1);
    let first = NvmlPlace::Slice {
        parent: 0,
        slice: Some(0),
    };
    assert_eq!(counted.places, [first]);
    assert!(VisibleDevices::default().check_count(0).places.is_empty());
}
