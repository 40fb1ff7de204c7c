// CUDA kernels for normal numbers and Gaussian points, compiled after kernels.cu: a ziggurat, in which a normal uses a
// varying number of words.

// The words of a block of trials, 64 bits each, are divided into chunks; a thread block computes one, and SPARE words
// beyond it, since the last normal that begins in a chunk may end in the next.
//
// Most normals use one word, one in 67 uses two or more; fewer than one in 10^30 use more than SPARE. Those are
// not drawn here: `failed` is set instead, and the launch's points must not be used.
constexpr u32 CHUNK = 960;
constexpr u32 SPARE = 56;
constexpr u32 MASKS = CHUNK / 32;
static_assert(BLOCK - 1 + 2 * (CHUNK + SPARE) <= WORDS, "a thread block computes all words that a chunk needs");
static_assert(CHUNK % 32 == 0 && MASKS <= THREADS && SPARE <= THREADS, "a thread has one of each at most");

// A thread block's data about its chunk.
struct Chunk {
    u32 words[ROOM];
    // Number of 32-bit words before the chunk's first one.
    u32 skipped;
    // How many words a normal uses if it begins at a word; SPARE + 1 if more than SPARE.
    u8 length[CHUNK];
    // The words at which that is more than one, called odd; one bit each.
    u32 odd[MASKS];
    // The words at which normals actually begin, one bit each, and how many begin before each group of 32 words.
    u32 begins[MASKS];
    u32 before[MASKS];
};

// Right edges of the 256 layers and the density there, [257] each, as in `rand_distr`.
struct Ziggurat {
    const double* edges;
    const double* density;
};

__device__ u64 word64_of(const Chunk& chunk, u32 at) {
    const u32 word = chunk.skipped + 2 * at;
    return word_of(chunk.words, word) | (u64)word_of(chunk.words, word + 1) << 32;
}

// In [-1,1), from the upper 52 bits.
__device__ double symmetric(u64 bits) { return plus(double_of(bits >> 12 | 0x4000000000000000), -3.0); }
// In [0,1), from the upper 53 bits.
__device__ double unit(u64 bits) { return times((double)(bits >> 11), 0x1p-53); }
// In (0,1), from the upper 52 bits.
__device__ double open_unit(u64 bits) {
    return plus(double_of(bits >> 12 | 0x3ff0000000000000), -(1.0 - 0x1p-53));
}

struct Normal {
    double value;
    u32 length;
};

// The normal number that begins at a word, 0..CHUNK: its value and how many words it uses; SPARE + 1 and no value
// if more than SPARE.
//
// Only this uses exp and log, whose results on a card may differ from a processor's in the last bit. In a wedge (one
// normal in 68) that changes which numbers are accepted, and so the words of all following normals in the block of
// trials, for 2*10^-16 of all normals. In the tail (one in 3900) it changes the value by 10^-15, which moves the
// point to its neighbour for 5*10^-16 of all normals if sigma is 1, and fewer if it is smaller.
__device__ Normal take(const Chunk& chunk, u32 at, Ziggurat ziggurat) {
    const Normal too_long = {0.0, SPARE + 1};
    for (u32 used = 0; used < SPARE;) {
        const u64 bits = word64_of(chunk, at + used++);
        const u32 layer = bits & 0xff;
        const double u = symmetric(bits), x = times(u, ziggurat.edges[layer]);
        if ((x < 0 ? -x : x) < ziggurat.edges[layer + 1]) return {x, used};
        if (layer == 0) {
            // Beyond the edge r of layer 1: Marsaglia's tail.
            const double r = ziggurat.edges[1];
            while (used + 2 <= SPARE) {
                const double beyond = log_of(open_unit(word64_of(chunk, at + used))) / r;
                const double y = log_of(open_unit(word64_of(chunk, at + used + 1)));
                used += 2;
                if (!(times(-2.0, y) < times(beyond, beyond))) {
                    return {u < 0 ? plus(beyond, -r) : plus(r, -beyond), used};
                }
            }
            return too_long;
        }
        if (used == SPARE) return too_long;
        const double low = ziggurat.density[layer + 1], high = ziggurat.density[layer];
        const double height = plus(low, times(plus(high, -low), unit(word64_of(chunk, at + used++))));
        if (height < exp_of(times(-x, x) / 2.0)) return {x, used};
    }
    return too_long;
}

// Phase: computes the words of a chunk, the first of which is at position `at`.
__device__ void begin(u32 thread, const u32* head, u64 at, Chunk& chunk) {
    if (thread == 0) chunk.skipped = at % BLOCK;
    generate(thread, head, at / BLOCK, chunk.words);
}

// Phase: determines how many words the normals use.
__device__ void measure(u32 thread, Ziggurat ziggurat, Chunk& chunk) {
    for (u32 at = thread; at < CHUNK; at += THREADS) chunk.length[at] = (u8)take(chunk, at, ziggurat).length;
}

// Phase: marks the words at which that is more than one.
__device__ void gather(u32 thread, Chunk& chunk) {
    if (thread >= MASKS) return;
    u32 odd = 0;
    for (u32 bit = 0; bit < 32; ++bit) odd |= (u32)(chunk.length[32 * thread + bit] != 1) << bit;
    chunk.odd[thread] = odd;
}

// The first odd word at or after `at`; CHUNK if there is none.
__device__ u32 next_odd(const Chunk& chunk, u32 at) {
    for (u32 mask = at / 32; mask < MASKS; ++mask) {
        const u32 above = mask == at / 32 ? at % 32 : 0;
        const u32 bits = chunk.odd[mask] >> above;
        if (bits) return 32 * mask + above + lowest(bits);
    }
    return CHUNK;
}

// The pass of the normals through a chunk: how many begin in it, and how many words of the next one the last of them
// uses. Packed as `begun | beyond << 16`; LOST if one is too long.
constexpr u32 LOST = 0xffffffff;

// Phase: computes the pass if the first normal begins at word `thread`, for every word at which it may.
__device__ void pass(u32 thread, const Chunk& chunk, u32* passes) {
    if (thread >= SPARE) return;
    u32 at = thread, begun = 0;
    while (at < CHUNK) {
        const u32 odd = next_odd(chunk, at);
        begun += odd - at;
        at = odd;
        if (odd == CHUNK) break;
        if (chunk.length[odd] > SPARE) {
            passes[thread] = LOST;
            return;
        }
        begun += 1;
        at += chunk.length[odd];
    }
    passes[thread] = begun | (at - CHUNK) << 16;
}

// Phases: compute the words of a chunk and measure the normals.
__device__ void prepare(const u32* head, u32 number, Ziggurat ziggurat, Chunk& chunk) {
    const u64 at = position(head) + (u64)number * (2 * CHUNK);
    PHASE(begin(thread, head, at, chunk));
    PHASE(measure(thread, ziggurat, chunk));
    PHASE(gather(thread, chunk));
}

// First of three kernels: `passes`, [B,chunks,SPARE], of every chunk.
// Grid: B * chunks; chunks = ceil((count + ceil(count / 32) + 256) / 960) suffice: normals use 1.022 words each.
extern "C" __global__ void pass_chunks(
    const u32* heads, const double* edges, const double* density, u32 chunks, u32* passes) {
    __shared__ Chunk chunk;
    const u32 block = blockIdx.x / chunks, number = blockIdx.x % chunks;
    prepare(heads + (u64)block * HEAD, number, {edges, density}, chunk);
    PHASE(pass(thread, chunk, passes + (u64)blockIdx.x * SPARE));
}

// Number of chunks whose passes are fetched together.
constexpr u32 ROWS = 32;

// The state between two chunks: the word of the next chunk at which the next normal begins, and the number of that
// normal.
struct Stand {
    u32 entry;
    u64 first;
    u32 passes[ROWS * SPARE];
};

// Phase: fetches passes with all threads, since a single one would wait for each in turn.
__device__ void fetch(u32 thread, const u32* passes, u32 rows, Stand& stand) {
    for (u32 i = thread; i < rows * SPARE; i += THREADS) stand.passes[i] = passes[i];
}

// Phase: follows the normals through these chunks.
__device__ void link(u32 thread, u32 rows, u64 count, Stand& stand, u32* entries, u64* firsts, u32* failed) {
    if (thread != 0) return;
    for (u32 row = 0; row < rows; ++row) {
        entries[row] = stand.entry;
        firsts[row] = stand.first;
        if (stand.first >= count) continue;
        const u32 passed = stand.passes[row * SPARE + stand.entry];
        if (passed == LOST) {
            *failed = 1;
            stand.first = count;
            continue;
        }
        stand.first += passed & 0xffff;
        stand.entry = passed >> 16;
    }
}

// Second of three kernels: word and number of the first normal of every chunk, [B,chunks] each. Sets `failed`, which
// is 0 before the launch, if a normal is too long or the chunks do not suffice. Grid: B.
extern "C" __global__ void link_chunks(
    const u32* passes, u64 count, u32 chunks, u32* entries, u64* firsts, u32* failed) {
    __shared__ Stand stand;
    const u64 own = (u64)blockIdx.x * chunks;
    PHASE(if (thread == 0) stand.entry = 0, stand.first = 0);
    for (u32 from = 0; from < chunks; from += ROWS) {
        const u32 rows = chunks - from < ROWS ? chunks - from : ROWS;
        PHASE(fetch(thread, passes + (own + from) * SPARE, rows, stand));
        PHASE(link(thread, rows, count, stand, entries + own + from, firsts + own + from, failed));
    }
    PHASE(if (thread == 0 && stand.first < count) *failed = 1);
}

// Phase: one thread marks the words at which normals begin, the first of them at `entry`.
__device__ void mark(u32 thread, u32 entry, Chunk& chunk) {
    if (thread != 0) return;
    for (u32 i = 0; i < MASKS; ++i) chunk.begins[i] = 0xffffffff;
    u32 from = 0, at = entry;
    for (;;) {
        // No normal begins within another that uses more than one word.
        for (; from < at && from < CHUNK; ++from) chunk.begins[from / 32] &= ~(1u << from % 32);
        if (at >= CHUNK) return;
        const u32 odd = next_odd(chunk, at);
        if (odd == CHUNK) return;
        from = odd + 1, at = odd + chunk.length[odd];
    }
}

// Phase: counts how many normals begin before each group of 32 words.
__device__ void tally(u32 thread, Chunk& chunk) {
    if (thread >= MASKS) return;
    u32 before = 0;
    for (u32 mask = 0; mask < thread; ++mask) before += ones(chunk.begins[mask]);
    chunk.before[thread] = before;
}

// The point nearest to `n` standard deviations from the centre, clipped to the grid; halves are rounded up.
__device__ u32 gaussian_point(double n, double centre, double scale) {
    const double top = times(2.0, centre), anywhere = plus(centre, times(scale, n));
    const double place = anywhere < 0.0 ? 0.0 : anywhere > top ? top : anywhere;
    const u32 whole = (u32)place;
    return whole + (plus(place, -(double)whole) >= 0.5);
}

// The output of a block of trials' normals: points of a grid, or the numbers themselves.
struct OnGrid {
    double centre, scale;
    i16* points;
};
__device__ void put(OnGrid own, u64 number, double normal) {
    own.points[number] = centred(gaussian_point(normal, own.centre, own.scale));
}
__device__ void put(float* own, u64 number, double normal) { own[number] = (float)normal; }

// Phase: writes the normals that begin in a chunk, up to number `count`.
template <typename Own>
__device__ void write(u32 thread, const Chunk& chunk, Ziggurat ziggurat, u64 first, u64 count, Own own) {
    for (u32 at = thread; at < CHUNK; at += THREADS) {
        const u32 mask = chunk.begins[at / 32], bit = at % 32;
        const u64 number = first + chunk.before[at / 32] + ones(mask & ((1u << bit) - 1));
        if (!(mask >> bit & 1) || number >= count) continue;
        put(own, number, take(chunk, at, ziggurat).value);
    }
}

template <typename Own>
__device__ void write_chunk(
    const u32* heads, Ziggurat ziggurat, u32 chunks, const u32* entries, const u64* firsts, u64 count, Own own) {
    __shared__ Chunk chunk;
    const u64 first = firsts[blockIdx.x];
    if (first >= count) return;
    prepare(heads + (u64)(blockIdx.x / chunks) * HEAD, blockIdx.x % chunks, ziggurat, chunk);
    PHASE(mark(thread, entries[blockIdx.x], chunk));
    PHASE(tally(thread, chunk));
    PHASE(write(thread, chunk, ziggurat, first, count, own));
}

// Third of three kernels: Gaussian points, [B,count]; `centre` is the grid's point for 0.5, `scale` the number of
// points per standard deviation. Grid: B * chunks.
extern "C" __global__ void draw_gaussian(
    const u32* heads, const double* edges, const double* density, u32 chunks, const u32* entries, const u64* firsts,
    double centre, double scale, u64 count, i16* points) {
    const OnGrid own = {centre, scale, points + blockIdx.x / chunks * count};
    write_chunk(heads, {edges, density}, chunks, entries, firsts, count, own);
}

// The same for the normals themselves, rounded to floats, [B,count]. Grid: B * chunks.
extern "C" __global__ void draw_normals(
    const u32* heads, const double* edges, const double* density, u32 chunks, const u32* entries, const u64* firsts,
    u64 count, float* normals) {
    write_chunk(heads, {edges, density}, chunks, entries, firsts, count, normals + blockIdx.x / chunks * count);
}
