//! Tests of the scripts that are submitted.

use super::*;

#[test]
fn remaining_shards_are_listed_as_ranges() {
    assert_eq!(ranges(&[1, 2, 3, 4]), "1-4");
    assert_eq!(ranges(&[2, 5, 6, 9]), "2,5-6,9");
}

fn user_options() -> SubmitArgs {
    SubmitArgs {
        name: "n".into(),
        slurm: true,
        shards: None,
        gpus: Some(2),
        cpus: None,
        time: Some("1:00:00".into()),
        partition: None,
        device: "auto".into(),
        print: true,
        options: ["--account=a", "--qos", "long"].map(str::to_owned).to_vec(),
    }
}

#[test]
fn user_options_are_passed_on_unchanged() {
    let text = user_options().common(true);
    assert!(
        text.ends_with("#SBATCH --gpus=2\n#SBATCH --account=a\n#SBATCH --qos long\n"),
        "{text}"
    );
    assert!(
        text.contains("--signal=B:USR1@120\n#SBATCH --time=1:00:00\n"),
        "{text}"
    );
}

#[test]
fn which_tasks_the_array_has_is_said_of_the_shards_alone() {
    for array in [
        &["--array=1-4%2"][..],
        &["--array", "1-4%2"],
        &["-a", "1-4%2"],
    ] {
        let mut options = vec!["--qos", "long"];
        options.extend(array);
        options.push("--hold");
        let submit = SubmitArgs {
            options: options.into_iter().map(str::to_owned).collect(),
            ..user_options()
        };
        let others = "#SBATCH --gpus=2\n#SBATCH --qos long\n";
        let end = |array: &str| format!("{others}{array}#SBATCH --hold\n");
        let shards = submit.common(true);
        let expected = end(&format!("#SBATCH {}\n", array.join(" ")));
        assert!(shards.ends_with(&expected), "{shards}");
        let merging = submit.common(false);
        assert!(merging.ends_with(&end("")), "{merging}");
    }
}

/// As `sbatch -vv` shows that it reads them.
#[test]
fn a_word_with_a_space_or_a_comment_sign_stays_one_word_of_its_option() {
    for (word, expected) in [
        ("--qos=long", "--qos=long"),
        ("--constraint=a100&nvlink", "--constraint=a100&nvlink"),
        ("two words", "\"two words\""),
        ("--comment=night # 3", "\"--comment=night # 3\""),
        ("a\"b\\c", "\"a\\\"b\\\\c\""),
        ("it's", "\"it's\""),
        ("", "\"\""),
    ] {
        assert_eq!(option_word(word), expected);
    }
    let submit = SubmitArgs {
        options: ["--comment", "two words"].map(str::to_owned).to_vec(),
        ..user_options()
    };
    let text = submit.common(true);
    assert!(
        text.ends_with("#SBATCH --comment \"two words\"\n"),
        "{text}"
    );
}
