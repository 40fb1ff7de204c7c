//! Tests of the diagnosis of failed devices.

use super::*;

#[test]
fn lack_of_memory_and_loss_of_the_device_are_distinguished() {
    let libtorch = "called `Result::unwrap()` on an `Err` value: Torch(\"CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity\\nException raised from malloc\")";
    assert_eq!(failure_kind(libtorch), FailureKind::Memory);
    assert_eq!(
        failure_kind(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"
        ),
        FailureKind::Memory
    );
    assert_eq!(
        failure_kind("CUDA error: unspecified launch failure"),
        FailureKind::Lost
    );
    for other in [
        "index out of bounds",
        "shape mismatch: oxide",
        "device `cpu`",
        "",
    ] {
        assert_eq!(failure_kind(other), FailureKind::Other, "{other}");
        assert_eq!(cause(other), None);
    }
}

#[test]
fn a_quoted_message_is_one_line() {
    let message = "called `Result::unwrap()` on an `Err` value: Torch(\"CUDA error: device-side assert triggered\\nCUDA kernel errors might be\")";
    assert_eq!(
        first_line(message),
        "CUDA error: device-side assert triggered"
    );
    assert_eq!(first_line(""), "no reason given");
}

/// libtorch's message, with what follows "total capacity of".
fn out_of_memory(rest: &str) -> String {
    format!(
        "Torch(\"CUDA out of memory. Tried to allocate 25.96 GiB. GPU 4 has a total capacity of {rest}\")"
    )
}

const ADVICE: &str = "If reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  See documentation for Memory Management  (https://docs.pytorch.org/docs/stable/notes/cuda.html#optimizing-memory-usage-with-pytorch-cuda-alloc-conf)";

#[test]
fn other_processes_that_fill_the_memory_are_named() {
    let message = out_of_memory(&format!(
        "79.18 GiB of which 3.04 GiB is free. Process 7478 has 54.08 GiB memory in use. Process 99 has 512.00 MiB memory in use. Including non-PyTorch memory, this process has 21.50 GiB memory in use. Of the allocated memory 15.89 GiB is allocated by PyTorch, with 1.38 MiB allocated in private pools (e.g., CUDA Graphs), and 3.01 GiB is reserved by PyTorch but unallocated. {ADVICE}"
    ));
    assert_eq!(failure_kind(&message), FailureKind::Memory);
    let text = user_message(&message);
    assert_eq!(
        text,
        "CUDA out of memory. Tried to allocate 25.96 GiB. Others use 54.6 GiB of the GPU's 79.2 GiB (process 7478: 54.1 GiB, process 99: 0.5 GiB): wait for them or end them (`nvidia-smi` lists them), or use another GPU"
    );
}

#[test]
fn a_process_that_fills_the_memory_itself_blames_no_other() {
    let message = out_of_memory(&format!(
        "79.18 GiB of which 3.04 GiB is free. Process 7478 has 4.08 GiB memory in use. Including non-PyTorch memory, this process has 72.02 GiB memory in use. Of the allocated memory 65.89 GiB is allocated by PyTorch, and 3.01 GiB is reserved by PyTorch but unallocated. {ADVICE}"
    ));
    assert_eq!(
        (failure_kind(&message), cause(&message)),
        (FailureKind::Memory, None)
    );
    let text = user_message(&message);
    assert!(
        text.ends_with("reserved by PyTorch but unallocated"),
        "{text}"
    );
    // In a container the process number differs, so this may be the process itself.
    let container = out_of_memory(
        "79.18 GiB of which 3.04 GiB is free. Process 7478 has 76.00 GiB memory in use. Of the allocated memory 71.89 GiB is allocated by PyTorch, and 3.01 GiB is reserved by PyTorch but unallocated.",
    );
    assert_eq!(cause(&container), None);
}

#[test]
fn unlisted_processes_in_other_containers_are_counted() {
    let read = |rest: &str| match cause(&out_of_memory(rest)) {
        Some(FailureCause::MemoryOfOthers(memory)) => memory,
        other => panic!("{other:?}"),
    };
    let unlisted = read(
        "79.15 GiB of which 1.91 GiB is free. Including non-PyTorch memory, this process has 38.31 GiB memory in use. Of the allocated memory 31.75 GiB is allocated by PyTorch, and 6.05 GiB is reserved by PyTorch but unallocated.",
    );
    assert_eq!(unlisted.others >> 30, 38);
    assert!(unlisted.processes.is_empty());
    // NVML reports unknown sizes as a number larger than the memory.
    let unknown = read(
        "23.69 GiB of which 16.00 KiB is free. Process 12 has 17179869184.00 GiB memory in use. Of the allocated memory 512 bytes is allocated by PyTorch, and 0 bytes is reserved by PyTorch but unallocated.",
    );
    assert_eq!(unknown.others >> 30, 22);
    assert!(
        unknown
            .to_string()
            .starts_with("Others use 22.7 GiB of the GPU's 23.7 GiB: ")
    );
}

#[test]
fn a_message_without_numbers_is_quoted_unchanged() {
    for message in [
        "CUDA error: out of memory",
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity",
    ] {
        assert_eq!(
            (failure_kind(message), cause(message)),
            (FailureKind::Memory, None)
        );
        assert_eq!(user_message(message), message);
    }
}

#[test]
fn lack_of_memory_on_a_slice_is_recognised_behind_an_nvml_error() {
    for message in [
        "NVML_SUCCESS == r INTERNAL ASSERT FAILED at \"../c10/cuda/CUDACachingAllocator.cpp\":838, please report a bug to PyTorch. ",
        "NVML_SUCCESS == DriverAPI::get()->nvmlInit_v2_() INTERNAL ASSERT FAILED at \"/pytorch/c10/cuda/CUDACachingAllocator.cpp\":1090, please report a bug to PyTorch. ",
    ] {
        assert_eq!(
            (failure_kind(message), cause(message)),
            (FailureKind::Memory, Some(FailureCause::UnreportedMemory))
        );
        assert!(
            user_message(message).contains("MIG slice"),
            "{}",
            user_message(message)
        );
    }
}

#[test]
fn each_kind_of_loss_has_its_next_step() {
    for (message, known, step) in [
        (
            "CUDA error: uncorrectable ECC error encountered",
            FailureCause::Hardware,
            "nvidia-smi -q -d ECC",
        ),
        (
            "CUDA_ERROR_ECC_UNCORRECTABLE",
            FailureCause::Hardware,
            "another GPU",
        ),
        (
            "CUDA error: uncorrectable NVLink error detected during the execution",
            FailureCause::Hardware,
            "Xid",
        ),
        (
            "CUDA error: Invalid access of peer GPU memory over nvlink or a hardware error",
            FailureCause::Hardware,
            "reset",
        ),
        (
            "NVRM: Xid (PCI:0000:41:00): 79, GPU has fallen off the bus.",
            FailureCause::Gone,
            "restart",
        ),
        (
            "Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU",
            FailureCause::Gone,
            "restart",
        ),
        (
            "CUDA error: unknown error",
            FailureCause::Gone,
            "nvidia-smi",
        ),
        (
            "CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing env variable CUDA_VISIBLE_DEVICES after program start. Setting the available devices to be zero.",
            FailureCause::Gone,
            "nvidia-smi",
        ),
        (
            "CUDA error: unspecified launch failure",
            FailureCause::Crash,
            "Try again",
        ),
        (
            "CUDA error: an illegal memory access was encountered",
            FailureCause::Crash,
            "report",
        ),
        (
            "CUDA error: device-side assert triggered",
            FailureCause::Assertion,
            "report",
        ),
        (
            "CUDA error: the launch timed out and was terminated",
            FailureCause::Timeout,
            "screen",
        ),
        (
            "CUDA error: no kernel image is available for execution on the device",
            FailureCause::OtherCards,
            "NOISESCOPE_TORCH_INDEX",
        ),
        (
            "nvrtc: error: invalid value for --gpu-architecture (-arch)",
            FailureCause::OtherCards,
            "NOISESCOPE_TORCH_INDEX",
        ),
        (
            "CUDA driver version is insufficient for CUDA runtime version",
            FailureCause::OldDriver,
            "newer driver",
        ),
        (
            "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver",
            FailureCause::OldDriver,
            "newer driver",
        ),
        (
            "CUDA error: the provided PTX was compiled with an unsupported toolchain.",
            FailureCause::OldForPtx,
            "newer driver",
        ),
        (
            "DriverError(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, \"the provided PTX was compiled with an unsupported toolchain.\")",
            FailureCause::OldForPtx,
            "newer driver",
        ),
        (
            "ptxas application ptx input, line 9; fatal   : Unsupported .version 8.7; current version is '8.4'",
            FailureCause::OldForPtx,
            "newer driver",
        ),
        (
            "Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that might have already set an error? Error 802: system not yet initialized",
            FailureCause::NotReady,
            "nvidia-fabricmanager",
        ),
        (
            "Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that might have already set an error? Error 804: forward compatibility was attempted on non supported HW",
            FailureCause::MixedDriver,
            "restart",
        ),
        (
            "CUDA error: system has unsupported display driver / cuda driver combination",
            FailureCause::MixedDriver,
            "restart",
        ),
        (
            "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver",
            FailureCause::NoDriver,
            "--gpus all",
        ),
        (
            "CUDA driver initialization failed, you might not have a CUDA gpu.",
            FailureCause::NoDriver,
            "nvidia-smi",
        ),
        (
            "CUDA error: CUDA-capable device(s) is/are busy or unavailable",
            FailureCause::Busy,
            "compute mode",
        ),
        (
            "CUDA error: all CUDA-capable devices are busy or unavailable",
            FailureCause::Busy,
            "compute mode",
        ),
        (
            "CUDA error: no CUDA-capable device is detected",
            FailureCause::NotVisible,
            "CUDA_VISIBLE_DEVICES",
        ),
        (
            "CUDA error: invalid device ordinal",
            FailureCause::NotVisible,
            "MIG",
        ),
        (
            "CUDA error: MPS client failed to connect to the MPS control daemon or the MPS server",
            FailureCause::Mps,
            "nvidia-cuda-mps-control",
        ),
    ] {
        assert_eq!(cause(message), Some(known), "{message}");
        assert_eq!(failure_kind(message), FailureKind::Lost, "{message}");
        let text = user_message(message);
        assert!(text.contains(step) && !text.ends_with('.'), "{text}");
    }
}

#[test]
fn an_unknown_gpu_error_counts_as_a_lost_device() {
    for message in [
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "CUDA error: a PTX JIT compilation failed",
    ] {
        assert_eq!(
            (failure_kind(message), cause(message)),
            (FailureKind::Lost, None),
            "{message}"
        );
        assert_eq!(user_message(message), message);
    }
}
