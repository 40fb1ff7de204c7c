// Runs the kernels for a request on the processor: `harness REQUEST RESULT`.
//
// Both files are sequences of numbers in this machine's byte order, written and read by `launch.rs`.

#include "../../src/stimulus/kernels.cu"
#include "../../src/stimulus/kernels/normal.cu"
#include "../../src/stimulus/kernels/gabor.cu"
#include "../../src/stimulus/kernels/pca.cu"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

FILE* request;

template <typename T>
std::vector<T> read(u64 count) {
    std::vector<T> numbers(count);
    if (std::fread(numbers.data(), sizeof(T), count, request) != count) {
        std::fputs("the request ends too early\n", stderr);
        std::exit(1);
    }
    return numbers;
}

template <typename T>
T read() {
    return read<T>(1)[0];
}

// Runs a kernel's grid, one thread block after another.
template <typename Kernel>
void launch(u32 grid, Kernel kernel) {
    for (u32 i = 0; i < grid; ++i) {
        blockIdx.x = backwards ? grid - 1 - i : i;
        kernel();
    }
}

template <typename T>
T* present(std::vector<T>& numbers) {
    return numbers.empty() ? nullptr : numbers.data();
}

} // namespace

int main(int count_of_arguments, char** arguments) {
    if (count_of_arguments != 3 || !(request = std::fopen(arguments[1], "rb"))) return 1;

    const u32 kind = read<u32>(), blocks = read<u32>(), trials = read<u32>(), width = read<u32>();
    const u32 numbers = read<u32>(), parts = read<u32>(), slices = read<u32>();
    const u32 has_cells = read<u32>(), images = read<u32>();
    const u32 channels = read<u32>(), columns = read<u32>(), normals_of_image = read<u32>();
    const u32 components = read<u32>();
    backwards = read<u32>();
    const float step = read<float>(), offset = read<float>();
    const double centre = read<double>(), scale = read<double>();
    const u64 stimuli_count = (u64)blocks * trials, count = (u64)trials * width;
    const auto heads = read<u32>((u64)blocks * HEAD);
    auto cells = read<i32>(has_cells ? numbers : 0);
    auto bytes = read<u8>((u64)images * numbers);
    auto image = read<i32>(images ? stimuli_count : 0);
    const auto edges = read<double>(257), density = read<double>(257);
    const u32 area = width / channels;
    const auto places = read<u32>(kind == 3 ? stimuli_count * channels : 0);
    const auto filters = read<u32>(kind == 4 ? (u64)SIZES * (1 + FILTERS) * area : 0);
    const auto basis = read<float>(kind == 5 ? 2 * components + (1 + (u64)components) * width : 0);

    // With padding at both ends, which no kernel may write to.
    const i16 untouched = 0x5a5a;
    std::vector<i16> room(blocks * count + 2 * 2, untouched);
    i16* points = room.data() + 2;
    u32 failed = 0;
    if (kind == 0) {
        launch(blocks * parts, [&] { draw_uniform(heads.data(), count, parts, points); });
    } else if (kind == 1) {
        launch(blocks * parts, [&] { draw_binary(heads.data(), count, parts, points); });
    } else if (kind == 3) {
        launch((u32)stimuli_count * channels, [&] { draw_patch(places.data(), area, columns, points); });
    } else if (kind == 5) {
        launch(blocks * parts, [&] {
            draw_pca(heads.data(), basis.data(), components, width, trials, parts, points);
        });
    } else {
        // Points are normal numbers, or images are computed from them.
        const u64 normals_count = kind == 2 ? count : (u64)trials * normals_of_image;
        std::vector<u32> passes((u64)blocks * parts * SPARE), entries((u64)blocks * parts);
        std::vector<u64> firsts((u64)blocks * parts);
        const double *x = edges.data(), *f = density.data();
        launch(blocks * parts, [&] { pass_chunks(heads.data(), x, f, parts, passes.data()); });
        launch(blocks, [&] {
            link_chunks(passes.data(), normals_count, parts, entries.data(), firsts.data(), &failed);
        });
        if (kind == 2) {
            launch(blocks * parts, [&] {
                draw_gaussian(
                    heads.data(), x, f, parts, entries.data(), firsts.data(), centre, scale, count, points);
            });
        } else {
            std::vector<float> normals(blocks * normals_count);
            launch(blocks * parts, [&] {
                draw_normals(
                    heads.data(), x, f, parts, entries.data(), firsts.data(), normals_count, normals.data());
            });
            launch((u32)stimuli_count, [&] {
                draw_gabor(
                    filters.data(), normals.data(), channels, area, normals_of_image / channels, points);
            });
        }
    }
    if (room[1] != untouched || points[blocks * count] != untouched) {
        std::fputs("a kernel wrote beyond its points\n", stderr);
        return 1;
    }
    std::vector<float> stimuli(stimuli_count * numbers);
    launch((u32)stimuli_count * slices, [&] {
        show(
            points, heads.data(), present(cells), present(bytes), present(image), trials, width, numbers, slices,
            step, offset, stimuli.data());
    });

    FILE* result = std::fopen(arguments[2], "wb");
    if (!result) return 1;
    std::fwrite(&failed, sizeof failed, 1, result);
    std::fwrite(points, sizeof *points, blocks * count, result);
    std::fwrite(stimuli.data(), sizeof(float), stimuli.size(), result);
    return std::fclose(result);
}
