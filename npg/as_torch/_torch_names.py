"""Written by tools/torch_names.py."""

# PyTorch's public modules.
MODULES = frozenset(
    """
    torch torch.accelerator torch.accelerator.graphs torch.accelerator.memory torch.amp torch.amp.autocast_mode
    torch.amp.grad_scaler torch.ao torch.autograd torch.autograd.anomaly_mode torch.autograd.forward_ad
    torch.autograd.function torch.autograd.functional torch.autograd.grad_mode torch.autograd.gradcheck
    torch.autograd.graph torch.autograd.profiler torch.autograd.profiler_legacy torch.autograd.profiler_util
    torch.autograd.variable torch.backends torch.backends.cpu torch.backends.cuda torch.backends.cudnn
    torch.backends.cudnn.rnn torch.backends.cusparselt torch.backends.kleidiai torch.backends.mha
    torch.backends.miopen torch.backends.mkl torch.backends.mkldnn torch.backends.mps torch.backends.nnpack
    torch.backends.openmp torch.backends.opt_einsum torch.backends.python_native torch.backends.quantized
    torch.backends.xnnpack torch.compiler torch.compiler.config torch.contrib torch.cpu torch.cpu.amp
    torch.cpu.amp.autocast_mode torch.cpu.amp.grad_scaler torch.cuda torch.cuda.amp torch.cuda.amp.autocast_mode
    torch.cuda.amp.common torch.cuda.amp.grad_scaler torch.cuda.comm torch.cuda.gds torch.cuda.graphs
    torch.cuda.green_contexts torch.cuda.jiterator torch.cuda.memory torch.cuda.nccl torch.cuda.nvtx
    torch.cuda.profiler torch.cuda.random torch.cuda.sparse torch.cuda.streams torch.cuda.tunable torch.distributed
    torch.distributions torch.distributions.bernoulli torch.distributions.beta torch.distributions.binomial
    torch.distributions.categorical torch.distributions.cauchy torch.distributions.chi2
    torch.distributions.constraint_registry torch.distributions.constraints torch.distributions.continuous_bernoulli
    torch.distributions.dirichlet torch.distributions.distribution torch.distributions.exp_family
    torch.distributions.exponential torch.distributions.fishersnedecor torch.distributions.gamma
    torch.distributions.generalized_pareto torch.distributions.geometric torch.distributions.gumbel
    torch.distributions.half_cauchy torch.distributions.half_normal torch.distributions.independent
    torch.distributions.inverse_gamma torch.distributions.kl torch.distributions.kumaraswamy
    torch.distributions.laplace torch.distributions.lkj_cholesky torch.distributions.log_normal
    torch.distributions.logistic_normal torch.distributions.lowrank_multivariate_normal
    torch.distributions.mixture_same_family torch.distributions.multinomial torch.distributions.multivariate_normal
    torch.distributions.negative_binomial torch.distributions.normal torch.distributions.one_hot_categorical
    torch.distributions.pareto torch.distributions.poisson torch.distributions.relaxed_bernoulli
    torch.distributions.relaxed_categorical torch.distributions.studentT
    torch.distributions.transformed_distribution torch.distributions.transforms torch.distributions.uniform
    torch.distributions.utils torch.distributions.von_mises torch.distributions.weibull torch.distributions.wishart
    torch.export torch.fft torch.func torch.functional torch.futures torch.fx torch.fx.annotate torch.fx.config
    torch.fx.experimental torch.fx.graph torch.fx.graph_module torch.fx.immutable_collections torch.fx.interpreter
    torch.fx.node torch.fx.operator_schemas torch.fx.passes torch.fx.proxy torch.fx.subgraph_rewriter
    torch.fx.tensor_type torch.fx.traceback torch.hub torch.jit torch.jit.annotations torch.jit.frontend
    torch.jit.generate_bytecode torch.jit.mobile torch.jit.quantized torch.jit.supported_ops
    torch.jit.unsupported_tensor_ops torch.library torch.linalg torch.masked torch.masked.maskedtensor
    torch.masked.maskedtensor.binary torch.masked.maskedtensor.core torch.masked.maskedtensor.creation
    torch.masked.maskedtensor.passthrough torch.masked.maskedtensor.reductions torch.masked.maskedtensor.unary
    torch.monitor torch.mps torch.mps.event torch.mps.profiler torch.mtia torch.mtia.memory torch.mtia.mtia_graph
    torch.multiprocessing torch.multiprocessing.pool torch.multiprocessing.queue torch.multiprocessing.reductions
    torch.multiprocessing.spawn torch.nativert torch.nativert.backends torch.nested torch.nn torch.nn.attention
    torch.nn.attention.bias torch.nn.attention.experimental torch.nn.attention.flex_attention
    torch.nn.attention.varlen torch.nn.backends torch.nn.backends.thnn torch.nn.common_types torch.nn.cpp
    torch.nn.functional torch.nn.grad torch.nn.init torch.nn.modules torch.nn.modules.activation
    torch.nn.modules.adaptive torch.nn.modules.batchnorm torch.nn.modules.channelshuffle torch.nn.modules.container
    torch.nn.modules.conv torch.nn.modules.distance torch.nn.modules.dropout torch.nn.modules.flatten
    torch.nn.modules.fold torch.nn.modules.instancenorm torch.nn.modules.lazy torch.nn.modules.linear
    torch.nn.modules.linear_cross_entropy torch.nn.modules.linear_cross_entropy_options torch.nn.modules.loss
    torch.nn.modules.module torch.nn.modules.normalization torch.nn.modules.padding torch.nn.modules.pixelshuffle
    torch.nn.modules.pooling torch.nn.modules.rnn torch.nn.modules.sparse torch.nn.modules.transformer
    torch.nn.modules.upsampling torch.nn.modules.utils torch.nn.parallel torch.nn.parallel.comm
    torch.nn.parallel.data_parallel torch.nn.parallel.distributed torch.nn.parallel.parallel_apply
    torch.nn.parallel.replicate torch.nn.parallel.scatter_gather torch.nn.parameter torch.nn.utils
    torch.nn.utils.clip_grad torch.nn.utils.convert_parameters torch.nn.utils.fusion torch.nn.utils.init
    torch.nn.utils.memory_format torch.nn.utils.parametrizations torch.nn.utils.parametrize torch.nn.utils.prune
    torch.nn.utils.rnn torch.nn.utils.spectral_norm torch.nn.utils.stateless torch.nn.utils.weight_norm torch.numa
    torch.numa.binding torch.onnx torch.optim torch.optim.adadelta torch.optim.adagrad torch.optim.adam
    torch.optim.adamax torch.optim.adamw torch.optim.asgd torch.optim.lbfgs torch.optim.lr_scheduler
    torch.optim.nadam torch.optim.optimizer torch.optim.radam torch.optim.rmsprop torch.optim.rprop torch.optim.sgd
    torch.optim.sparse_adam torch.optim.swa_utils torch.overrides torch.package torch.profiler torch.profiler.itt
    torch.profiler.profiler torch.profiler.python_tracer torch.quasirandom torch.random torch.return_types
    torch.serialization torch.signal torch.signal.windows torch.signal.windows.windows torch.sparse
    torch.sparse.semi_structured torch.special torch.storage torch.testing torch.torch_version torch.types
    torch.utils torch.utils.backcompat torch.utils.backend_registration torch.utils.benchmark
    torch.utils.benchmark.op_fuzzers torch.utils.benchmark.op_fuzzers.binary
    torch.utils.benchmark.op_fuzzers.sparse_binary torch.utils.benchmark.op_fuzzers.sparse_unary
    torch.utils.benchmark.op_fuzzers.spectral torch.utils.benchmark.op_fuzzers.unary torch.utils.benchmark.utils
    torch.utils.benchmark.utils.common torch.utils.benchmark.utils.compare torch.utils.benchmark.utils.compile
    torch.utils.benchmark.utils.cpp_jit torch.utils.benchmark.utils.fuzzer torch.utils.benchmark.utils.sparse_fuzzer
    torch.utils.benchmark.utils.timer torch.utils.benchmark.utils.valgrind_wrapper
    torch.utils.benchmark.utils.valgrind_wrapper.timer_interface torch.utils.bundled_inputs torch.utils.checkpoint
    torch.utils.collect_env torch.utils.cpp_backtrace torch.utils.cpp_extension torch.utils.data
    torch.utils.data.backward_compatibility torch.utils.data.dataloader torch.utils.data.dataset
    torch.utils.data.distributed torch.utils.data.graph torch.utils.data.graph_settings torch.utils.data.sampler
    torch.utils.debug_log torch.utils.deterministic torch.utils.dlpack torch.utils.file_baton
    torch.utils.flop_counter torch.utils.hipify torch.utils.hipify.constants torch.utils.hipify.cuda_to_hip_mappings
    torch.utils.hipify.hipify_python torch.utils.hipify.version torch.utils.hooks torch.utils.mkldnn
    torch.utils.mobile_optimizer torch.utils.model_dump torch.utils.model_zoo torch.utils.module_tracker
    torch.utils.show_pickle torch.utils.tensorboard torch.utils.throughput_benchmark torch.utils.weak torch.version
    torch.xpu torch.xpu.graphs torch.xpu.memory torch.xpu.random torch.xpu.streams
""".split()
)
# The public names of those whose names npg has, or will have.
NAMES = {
    "torch": """
        AVG AcceleratorError AggregationType AliasDb AnyType Argument ArgumentSpec AwaitType BFloat16Storage
        BFloat16Tensor BenchmarkConfig BenchmarkExecutionStats Block BoolStorage BoolTensor BoolType BufferDict
        ByteStorage ByteTensor CallStack Capsule CharStorage CharTensor ClassType Code CompilationUnit
        CompleteArgumentSpec ComplexDoubleStorage ComplexFloatStorage ComplexType ConcreteModuleType
        ConcreteModuleTypeBuilder DeepCopyMemoTable DeserializationStorageContext DeviceObjType DictType
        DisableTorchFunction DisableTorchFunctionSubclass DispatchKey DispatchKeySet DoubleStorage DoubleTensor
        EnumType ErrorReport Event ExcludeDispatchKeyGuard ExecutionPlan FatalError FileCheck FloatStorage
        FloatTensor FloatType FunctionSchema Future FutureType Generator GradScaler Gradient Graph
        GraphExecutorState HalfStorage HalfTensor IODescriptor InferredType IntStorage IntTensor IntType
        InterfaceType JITException ListType LiteScriptModule LockingLogger LoggerBase LongStorage LongTensor
        ModuleDict Node NoneType NoopLogger NumberType OperatorInfo OptionalType OutOfMemoryError PRIVATE_OPS
        ParameterDict PyObjectType PyTorchFileReader PyTorchFileWriter QInt32Storage QInt8Storage
        QUInt2x4Storage QUInt4x2Storage QUInt8Storage RRefType SUM ScriptClass ScriptClassFunction ScriptDict
        ScriptDictIterator ScriptDictKeyIterator ScriptFunction ScriptList ScriptListIterator ScriptMethod
        ScriptModule ScriptModuleSerializer ScriptObject ScriptObjectProperty SerializationStorageContext
        ShortStorage ShortTensor Size StaticModule Storage StorageBase Stream StreamObjType StringType SymBool
        SymBoolType SymFloat SymInt SymIntType TYPE_CHECKING Tag Tensor TensorType ThroughputBenchmark
        TracingState TupleType Type TypedStorage USE_GLOBAL_DEPS USE_RTLD_GLOBAL_WITH_LIBTORCH UnionType
        UntypedStorage Use Value abs abs_ absolute acos acos_ acosh acosh_ adaptive_avg_pool1d
        adaptive_max_pool1d add addbmm addcdiv addcmul addmm addmv addmv_ addr adjoint affine_grid_generator
        alias_copy all allclose alpha_dropout alpha_dropout_ amax amin aminmax angle any arange arccos arccos_
        arccosh arccosh_ arcsin arcsin_ arcsinh arcsinh_ arctan arctan2 arctan_ arctanh arctanh_
        are_deterministic_algorithms_enabled argmax argmin argsort argwhere as_strided as_strided_
        as_strided_copy as_strided_scatter as_tensor asarray asin asin_ asinh asinh_ atan atan2 atan_ atanh
        atanh_ atleast_1d atleast_2d atleast_3d autocast autocast_decrement_nesting autocast_increment_nesting
        avg_pool1d baddbmm bartlett_window batch_norm batch_norm_backward_elemt batch_norm_backward_reduce
        batch_norm_elemt batch_norm_gather_stats batch_norm_gather_stats_with_counts batch_norm_stats
        batch_norm_update_stats bernoulli bfloat16 bilinear binary_cross_entropy_with_logits bincount binomial
        bit bits16 bits1x8 bits2x4 bits4x2 bits8 bitwise_and bitwise_left_shift bitwise_not bitwise_or
        bitwise_right_shift bitwise_xor blackman_window block_diag bmm bool broadcast_shapes broadcast_tensors
        broadcast_to bucketize can_cast cartesian_prod cat ccol_indices_copy cdist cdouble ceil ceil_ celu celu_
        cfloat chain_matmul chalf channel_shuffle channels_last channels_last_3d cholesky cholesky_inverse
        cholesky_solve choose_qparams_optimized chunk clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_
        classproperty clear_autocast_cache clip clip_ clone col_indices_copy column_stack combinations compile
        compiled_with_cxx11_abi complex complex128 complex32 complex64 concat concatenate cond conj
        conj_physical conj_physical_ constant_pad_nd contiguous_format conv1d conv2d conv3d conv_tbc
        conv_transpose1d conv_transpose2d conv_transpose3d convolution copysign corrcoef cos cos_ cosh cosh_
        cosine_embedding_loss cosine_similarity count_nonzero cov cross crow_indices_copy ctc_loss
        cudnn_affine_grid_generator cudnn_batch_norm cudnn_convolution cudnn_convolution_add_relu
        cudnn_convolution_relu cudnn_convolution_transpose cudnn_grid_sampler cudnn_is_acceptable cummax cummin
        cumprod cumsum cumulative_trapezoid default_generator deg2rad deg2rad_ dequantize det detach detach_
        detach_copy device diag diag_embed diagflat diagonal diagonal_copy diagonal_scatter diff digamma dist
        div divide dot double dropout dropout_ dsmm dsplit dstack dtype e eig einsum embedding embedding_bag
        embedding_renorm_ empty empty_like empty_permuted empty_quantized empty_strided enable_grad eq equal erf
        erf_ erfc erfc_ erfinv exp exp2 exp2_ exp_ expand_copy expm1 expm1_ eye fake_quantize_per_channel_affine
        fake_quantize_per_tensor_affine fbgemm_linear_fp16_weight fbgemm_linear_fp16_weight_fp32_activation
        fbgemm_linear_int8_weight fbgemm_linear_int8_weight_fp32_activation fbgemm_linear_quantize_weight
        fbgemm_pack_gemm_matrix_fp16 fbgemm_pack_quantized_matrix feature_alpha_dropout feature_alpha_dropout_
        feature_dropout feature_dropout_ fill fill_ finfo fix fix_ flatten flip fliplr flipud float float16
        float32 float4_e2m1fn_x2 float64 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz
        float8_e8m0fnu float_power floor floor_ floor_divide fmax fmin fmod fork frac frac_ frexp frobenius_norm
        from_dlpack from_file from_numpy frombuffer full full_like fused_moving_avg_obs_fake_quant gather gcd
        gcd_ ge geqrf ger get_autocast_cpu_dtype get_autocast_dtype get_autocast_gpu_dtype
        get_autocast_ipu_dtype get_autocast_xla_dtype get_default_device get_default_dtype
        get_deterministic_debug_mode get_device get_device_module get_file_path get_float32_matmul_precision
        get_num_interop_threads get_num_threads get_rng_state gradient greater greater_equal grid_sampler
        grid_sampler_2d grid_sampler_3d group_norm gru gru_cell gt half hamming_window hann_window hardshrink
        has_lapack has_mkl has_openmp has_spectral hash_tensor heaviside hinge_embedding_loss histc histogram
        histogramdd hsmm hsplit hspmm hstack hypot i0 i0_ igamma igammac iinfo imag import_ir_module
        import_ir_module_from_buffer index_add index_copy index_fill index_put index_put_ index_reduce
        index_select indices_copy inf inference_mode init_num_threads initial_seed inner instance_norm int int1
        int16 int2 int3 int32 int4 int5 int6 int64 int7 int8 int_repr inverse is_anomaly_check_nan_enabled
        is_anomaly_enabled is_autocast_cache_enabled is_autocast_cpu_enabled is_autocast_enabled
        is_autocast_ipu_enabled is_autocast_xla_enabled is_complex is_conj
        is_deterministic_algorithms_warn_only_enabled is_distributed is_floating_point is_grad_enabled
        is_inference is_inference_mode_enabled is_neg is_nonzero is_same_size is_signed is_storage is_tensor
        is_vulkan_available is_warn_always_enabled isclose isfinite isin isinf isnan isneginf isposinf isreal
        istft jagged kaiser_window kl_div kron kthvalue layer_norm layout lcm lcm_ ldexp ldexp_ le
        legacy_contiguous_format lerp less less_equal lgamma linspace load lobpcg log log10 log10_ log1p log1p_
        log2 log2_ log_ log_softmax logaddexp logaddexp2 logcumsumexp logdet logical_and logical_not logical_or
        logical_xor logit logit_ logspace logsumexp long lstm lstm_cell lstsq lt lu lu_solve lu_unpack
        manual_seed margin_ranking_loss masked_fill masked_scatter masked_select matmul matrix_exp matrix_power
        matrix_rank max max_pool1d max_pool1d_with_indices max_pool2d max_pool3d maximum mean median
        memory_format merge_type_from_type_comment meshgrid min minimum miopen_batch_norm miopen_convolution
        miopen_convolution_add_relu miopen_convolution_relu miopen_convolution_transpose miopen_ctc_loss
        miopen_depthwise_convolution miopen_rnn mkldnn_adaptive_avg_pool2d mkldnn_convolution
        mkldnn_linear_backward_weights mkldnn_max_pool2d mkldnn_max_pool3d mkldnn_rnn_layer mm mode moveaxis
        movedim msort mul multinomial multiply mv mvlgamma nan nan_to_num nan_to_num_ nanmean nanmedian
        nanquantile nansum narrow narrow_copy native_batch_norm native_channel_shuffle native_dropout
        native_group_norm native_layer_norm native_norm ne neg neg_ negative negative_ newaxis nextafter no_grad
        nonzero nonzero_static norm norm_except_dim normal not_equal nuclear_norm numel ones ones_like orgqr
        ormqr outer pairwise_distance parse_ir parse_schema parse_type_comment pca_lowrank pdist
        per_channel_affine per_channel_affine_float_qparams per_channel_symmetric per_tensor_affine
        per_tensor_symmetric permute permute_copy pi pinverse pixel_shuffle pixel_unshuffle poisson
        poisson_nll_loss polar polygamma positive pow prelu prepare_multiprocessing_environment preserve_format
        prod profiler_allow_cudagraph_cupti_lazy_reinit_cuda12 promote_types put q_per_channel_axis
        q_per_channel_scales q_per_channel_zero_points q_scale q_zero_point qint32 qint8 qr qscheme quantile
        quantize_per_channel quantize_per_tensor quantize_per_tensor_dynamic quantized_batch_norm quantized_gru
        quantized_gru_cell quantized_lstm quantized_lstm_cell quantized_max_pool1d quantized_max_pool2d
        quantized_max_pool3d quantized_rnn_relu_cell quantized_rnn_tanh_cell quint2x4 quint4x2 quint8 rad2deg
        rad2deg_ rand rand_like randint randint_like randn randn_like randperm range ravel real reciprocal
        reciprocal_ relu relu_ remainder renorm repeat_interleave reshape resize_as_ resize_as_sparse_
        resolve_conj resolve_neg result_type rms_norm rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell roll rot90
        round round_ row_indices_copy row_stack rrelu rrelu_ rsqrt rsqrt_ rsub saddmm save scalar_tensor scatter
        scatter_add scatter_reduce searchsorted seed segment_reduce select select_copy select_scatter selu selu_
        set_anomaly_enabled set_autocast_cache_enabled set_autocast_cpu_dtype set_autocast_cpu_enabled
        set_autocast_dtype set_autocast_enabled set_autocast_gpu_dtype set_autocast_ipu_dtype
        set_autocast_ipu_enabled set_autocast_xla_dtype set_autocast_xla_enabled set_default_device
        set_default_dtype set_default_tensor_type set_deterministic_debug_mode set_float32_matmul_precision
        set_flush_denormal set_grad_enabled set_num_interop_threads set_num_threads set_printoptions
        set_rng_state set_warn_always sgn short sigmoid sigmoid_ sign signbit sin sin_ sinc sinc_ sinh sinh_
        slice_copy slice_inverse slice_scatter slogdet smm softmax solve sort sparse_bsc sparse_bsc_tensor
        sparse_bsr sparse_bsr_tensor sparse_compressed_tensor sparse_coo sparse_coo_tensor sparse_csc
        sparse_csc_tensor sparse_csr sparse_csr_tensor split split_copy split_with_sizes split_with_sizes_copy
        spmm sqrt sqrt_ square square_ squeeze squeeze_copy sspaddmm stack std std_mean stft strided sub
        subtract sum svd svd_lowrank swapaxes swapdims sym_constrain_range sym_constrain_range_for_size
        sym_float sym_fresh_size sym_int sym_ite sym_max sym_min sym_not sym_sqrt sym_sum symeig t t_copy take
        take_along_dim tan tan_ tanh tanh_ tensor tensor_split tensordot thread_safe_generator threshold
        threshold_ tile to_dlpack topk trace transpose transpose_copy trapezoid trapz triangular_solve tril
        tril_indices triplet_margin_loss triu triu_indices true_divide trunc trunc_ typename uint1 uint16 uint2
        uint3 uint32 uint4 uint5 uint6 uint64 uint7 uint8 unbind unbind_copy unflatten unfold_copy
        unify_type_list unique unique_consecutive unravel_index unsafe_chunk unsafe_split
        unsafe_split_with_sizes unsqueeze unsqueeze_copy use_deterministic_algorithms values_copy vander var
        var_mean vdot view_as_complex view_as_complex_copy view_as_real view_as_real_copy view_copy vmap vsplit
        vstack wait where while_loop xlogy xlogy_ zero_ zeros zeros_like
    """,
    "torch.accelerator": """
        Graph current_accelerator current_device_idx current_device_index current_stream device_count
        device_index empty_cache empty_host_cache get_device_capability get_memory_info is_available
        max_memory_allocated max_memory_reserved memory_allocated memory_reserved memory_stats
        reset_accumulated_memory_stats reset_peak_memory_stats set_device_idx set_device_index set_stream
        synchronize
    """,
    "torch.accelerator.graphs": """
        Graph
    """,
    "torch.accelerator.memory": """
        empty_cache empty_host_cache get_memory_info max_memory_allocated max_memory_reserved memory_allocated
        memory_reserved memory_stats reset_accumulated_memory_stats reset_peak_memory_stats
    """,
    "torch.amp": """
        GradScaler autocast custom_bwd custom_fwd is_autocast_available
    """,
    "torch.amp.autocast_mode": """
        HAS_NUMPY autocast autocast_decorator custom_bwd custom_fwd is_autocast_available
    """,
    "torch.amp.grad_scaler": """
        GradScaler OptState TYPE_CHECKING
    """,
    "torch.autograd": """
        DeviceType Function NestedIOFunction ProfilerActivity ProfilerConfig ProfilerEvent ProfilerState
        SavedTensor Variable backward detect_anomaly enable_grad enforce_grad_layout_policy grad gradcheck
        gradgradcheck handle_torch_function has_torch_function inference_mode is_multithreading_enabled
        is_tensor_like is_view_replay_enabled kineto_available no_grad set_detect_anomaly set_grad_enabled
        set_multithreading_enabled variable
    """,
    "torch.autograd.anomaly_mode": """
        detect_anomaly set_detect_anomaly
    """,
    "torch.autograd.forward_ad": """
        UnpackedDualTensor dual_level enter_dual_level exit_dual_level make_dual unpack_dual
    """,
    "torch.autograd.function": """
        AUTOGRAD_FUNCTION_COUNTER BackwardCFunction Function FunctionCtx FunctionMeta InplaceFunction
        NestedIOFunction custom_function_call once_differentiable
    """,
    "torch.autograd.functional": """
        hessian hvp jacobian jvp vhp vjp
    """,
    "torch.autograd.grad_mode": """
        F enable_grad enforce_grad_layout_policy inference_mode no_grad set_grad_enabled
        set_multithreading_enabled
    """,
    "torch.autograd.gradcheck": """
        FAILED_BATCHED_GRAD_MSG FAILED_BATCHED_GRAD_MSG_FWD_AD FAILED_NONDET_MSG FAST_FAIL_SLOW_OK_MSG
        GradcheckError get_analytical_jacobian get_numerical_jacobian get_numerical_jacobian_wrt_specific_input
        gradcheck gradgradcheck is_tensor_like vmap
    """,
    "torch.autograd.graph": """
        GradientEdge Node RemovableHandle TYPE_CHECKING TorchDispatchMode Variable
        allow_mutation_on_saved_tensors disable_saved_tensors_hooks get_gradient_edge increment_version
        region_activation_memory_budget register_multi_grad_hook save_on_cpu saved_tensors_hooks
        set_override_stale_capture_stream set_warn_on_accumulate_grad_stream_mismatch
    """,
    "torch.autograd.profiler": """
        DeviceType EnforceUnique EventList FunctionEvent Future KinetoStepTracker MEMORY_EVENT_NAME
        MemRecordsAcc OUT_OF_MEMORY_EVENT_NAME ProfilerActivity ProfilerConfig ProfilerState emit_itt emit_nvtx
        kineto_available load_nvprof parse_nvprof_trace profile record_function
    """,
    "torch.autograd.profiler_legacy": """
        DeviceType EventList FunctionEvent MEMORY_EVENT_NAME ProfilerConfig ProfilerState profile
    """,
    "torch.autograd.profiler_util": """
        DeviceType EventList EventMetadata FormattedTimesMixin FunctionEvent FunctionEventAvg Interval Kernel
        MEMORY_EVENT_NAME MemRecordsAcc OUT_OF_MEMORY_EVENT_NAME StringTable
    """,
    "torch.autograd.variable": """
        ImperativeEngine Variable VariableMeta
    """,
    "torch.backends.cpu": """
        get_cpu_capability
    """,
    "torch.backends.cuda": """
        SDPAParams SDPBackend allow_fp16_bf16_reduction_math_sdp blas_workspace_size can_use_cudnn_attention
        can_use_efficient_attention can_use_flash_attention cuBLASModule cuFFTPlanCache
        cuFFTPlanCacheAttrContextProp cuFFTPlanCacheManager cublas_workspace_size cublaslt_workspace_size
        cudnn_sdp_enabled cufft_plan_cache enable_cudnn_sdp enable_flash_sdp enable_math_sdp
        enable_mem_efficient_sdp flash_sdp_enabled fp16_bf16_reduction_math_sdp_allowed is_built
        is_ck_sdpa_available is_flash_attention_available math_sdp_enabled matmul mem_efficient_sdp_enabled
        preferred_blas_library preferred_linalg_library preferred_rocm_fa_library sdp_kernel
    """,
    "torch.backends.cusparselt": """
        get_max_alg_id is_available version
    """,
    "torch.backends.kleidiai": """
        is_available
    """,
    "torch.backends.mha": """
        get_fastpath_enabled set_fastpath_enabled
    """,
    "torch.backends.mkl": """
        VERBOSE_OFF VERBOSE_ON is_available verbose
    """,
    "torch.backends.mps": """
        TYPE_CHECKING get_core_count get_name is_available is_built is_macos13_or_newer is_macos_or_newer
    """,
    "torch.backends.nnpack": """
        ContextProp PropModule flags is_available set_flags
    """,
    "torch.backends.openmp": """
        is_available
    """,
    "torch.compiler": """
        CacheInfo F NestedCompileRegionOptions allow_in_graph assume_constant_result compile
        cudagraph_mark_step_begin disable get_default_backend is_compiling is_dynamo_compiling is_exporting
        keep_portable_guards_unsafe keep_tensor_guards_unsafe list_backends load_cache_artifacts
        load_compiled_function nested_compile_region reset save_cache_artifacts set_default_backend
        set_enable_guard_collectives set_stance skip_all_guards_unsafe skip_guard_on_all_nn_modules_unsafe
        skip_guard_on_globals_unsafe skip_guard_on_inbuilt_nn_modules_unsafe substitute_in_graph wrap_numpy
    """,
    "torch.compiler.config": """
        Config install_config_module
    """,
    "torch.cpu": """
        Event Stream StreamContext current_device current_stream device_count get_capabilities is_available
        is_initialized set_device stream synchronize
    """,
    "torch.cpu.amp": """
        GradScaler autocast
    """,
    "torch.cuda": """
        AcceleratorError BFloat16Storage BFloat16Tensor BoolStorage BoolTensor ByteStorage ByteTensor CUDAGraph
        CUDAPluggableAllocator CharStorage CharTensor ComplexDoubleStorage ComplexFloatStorage CudaError
        DEVICE_REQUIREMENT DeferredCudaCallError DoubleStorage DoubleTensor Event ExternalStream FloatStorage
        FloatTensor GreenContext HalfStorage HalfTensor IntStorage IntTensor LongStorage LongTensor MemPool
        OutOfMemoryError PYTORCH_RELEASES_CODE_CC ShortStorage ShortTensor Stream StreamContext TYPE_CHECKING
        caching_allocator_alloc caching_allocator_delete caching_allocator_disabled caching_allocator_enable
        can_device_access_peer change_current_allocator check_error classproperty clock_rate cudaStatus cudart
        current_blas_handle current_device current_solver_handle current_stream default_generators
        default_stream device device_count device_memory_used device_of empty_cache get_allocator_backend
        get_arch_list get_device_capability get_device_name get_device_properties get_gencode_flags
        get_per_process_memory_fraction get_rng_state get_rng_state_all get_stream_from_external
        get_sync_debug_mode graph graph_pool_handle has_half has_magma host_memory_stats
        host_memory_stats_as_nested_dict init initial_seed ipc_collect is_available is_bf16_supported
        is_current_stream_capturing is_initialized is_tf32_supported list_gpu_processes make_graphed_callables
        manual_seed manual_seed_all max_memory_allocated max_memory_cached max_memory_reserved mem_get_info
        memory_allocated memory_cached memory_reserved memory_snapshot memory_stats memory_stats_as_nested_dict
        memory_summary memory_usage power_draw reset_accumulated_host_memory_stats
        reset_accumulated_memory_stats reset_max_memory_allocated reset_max_memory_cached
        reset_peak_host_memory_stats reset_peak_memory_stats seed seed_all set_device
        set_per_process_memory_fraction set_rng_state set_rng_state_all set_stream set_sync_debug_mode stream
        synchronize temperature use_mem_pool utilization
    """,
    "torch.cuda.amp": """
        GradScaler amp_definitely_not_available autocast custom_bwd custom_fwd
    """,
    "torch.cuda.comm": """
        broadcast broadcast_coalesced gather reduce_add reduce_add_coalesced scatter
    """,
    "torch.cuda.gds": """
        GdsFile Storage gds_deregister_buffer gds_register_buffer
    """,
    "torch.cuda.graphs": """
        CUDAGraph TYPE_CHECKING Tensor graph graph_pool_handle is_current_stream_capturing
        make_graphed_callables
    """,
    "torch.cuda.green_contexts": """
        GreenContext SUPPORTED
    """,
    "torch.cuda.jiterator": """
        Tensor
    """,
    "torch.cuda.memory": """
        CUDAPluggableAllocator MemPool TYPE_CHECKING caching_allocator_alloc caching_allocator_delete
        caching_allocator_disabled caching_allocator_enable change_current_allocator empty_cache
        get_allocator_backend get_per_process_memory_fraction host_memory_stats host_memory_stats_as_nested_dict
        is_initialized list_gpu_processes max_memory_allocated max_memory_cached max_memory_reserved
        mem_get_info memory_allocated memory_cached memory_reserved memory_snapshot memory_stats
        memory_stats_as_nested_dict memory_summary reset_accumulated_host_memory_stats
        reset_accumulated_memory_stats reset_max_memory_allocated reset_max_memory_cached
        reset_peak_host_memory_stats reset_peak_memory_stats set_per_process_memory_fraction use_mem_pool
    """,
    "torch.cuda.nccl": """
        SUM all_gather all_reduce broadcast init_rank is_available reduce reduce_scatter unique_id version
    """,
    "torch.cuda.nvtx": """
        mark range range_end range_pop range_push range_start
    """,
    "torch.cuda.profiler": """
        DEFAULT_FLAGS check_error cudart profile start stop
    """,
    "torch.cuda.random": """
        Tensor current_device device_count get_rng_state get_rng_state_all initial_seed is_initialized
        manual_seed manual_seed_all seed seed_all set_rng_state set_rng_state_all
    """,
    "torch.cuda.sparse": """
        BFloat16Tensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor
        ShortTensor
    """,
    "torch.cuda.streams": """
        Event ExternalStream Stream
    """,
    "torch.cuda.tunable": """
        enable get_filename get_max_tuning_duration get_max_tuning_iterations get_results
        get_rotating_buffer_size get_validators is_enabled mgpu_tune_gemm_in_file read_file
        record_untuned_enable record_untuned_is_enabled set_filename set_max_tuning_duration
        set_max_tuning_iterations set_numerical_check_tolerances set_rotating_buffer_size tune_gemm_in_file
        tuning_enable tuning_is_enabled
    """,
    "torch.distributed": """
        AllToAllOptions AllreduceCoalescedOptions AllreduceOptions Backend BackendConfig BarrierOptions
        BroadcastOptions BuiltinCommHookType DebugLevel DeviceMesh DistBackendError DistError DistNetworkError
        DistStoreError FileStore GatherOptions GradBucket GroupMember GroupName HashStore Logger P2POp
        PrefixStore ProcessGroup ProcessGroupGloo QueueEmptyError ReduceOp ReduceOptions ReduceScatterOptions
        Reducer ScatterOptions Store TCPStore Work all_gather all_gather_coalesced all_gather_into_tensor
        all_gather_object all_gather_single all_reduce all_reduce_coalesced all_to_all all_to_all_single barrier
        batch_isend_irecv breakpoint broadcast broadcast_object_list default_pg_timeout destroy_process_group
        gather gather_object get_backend get_backend_config get_debug_level get_default_backend_for_device
        get_global_rank get_group_rank get_node_local_rank get_pg_count get_process_group_ranks get_rank
        get_world_size group init_device_mesh init_process_group irecv is_available is_backend_available
        is_gloo_available is_initialized is_mpi_available is_nccl_available is_torchelastic_launched
        is_ucc_available is_xccl_available isend monitored_barrier new_group new_subgroups
        new_subgroups_by_enumeration record_comm recv recv_object_list reduce reduce_op reduce_scatter
        reduce_scatter_single reduce_scatter_tensor register_rendezvous_handler rendezvous scatter
        scatter_object_list send send_object_list set_debug_level set_debug_level_from_env shrink_group
        split_group supports_complex
    """,
    "torch.distributions": """
        AbsTransform AffineTransform Bernoulli Beta Binomial CatTransform Categorical Cauchy Chi2
        ComposeTransform ContinuousBernoulli CorrCholeskyTransform CumulativeDistributionTransform Dirichlet
        Distribution ExpTransform Exponential ExponentialFamily FisherSnedecor Gamma GeneralizedPareto Geometric
        Gumbel HalfCauchy HalfNormal Independent IndependentTransform InverseGamma Kumaraswamy LKJCholesky
        Laplace LogNormal LogisticNormal LowRankMultivariateNormal LowerCholeskyTransform MixtureSameFamily
        Multinomial MultivariateNormal NegativeBinomial Normal OneHotCategorical
        OneHotCategoricalStraightThrough Pareto Poisson PositiveDefiniteTransform PowerTransform
        RelaxedBernoulli RelaxedOneHotCategorical ReshapeTransform SigmoidTransform SoftmaxTransform
        SoftplusTransform StackTransform StickBreakingTransform StudentT TanhTransform Transform
        TransformedDistribution Uniform VonMises Weibull Wishart biject_to identity_transform kl_divergence
        register_kl transform_to
    """,
    "torch.distributions.bernoulli": """
        Bernoulli ExponentialFamily Tensor binary_cross_entropy_with_logits broadcast_all lazy_property
        logits_to_probs nan probs_to_logits
    """,
    "torch.distributions.beta": """
        Beta Dirichlet ExponentialFamily Tensor broadcast_all
    """,
    "torch.distributions.binomial": """
        Binomial Distribution Tensor broadcast_all lazy_property logits_to_probs probs_to_logits
    """,
    "torch.distributions.categorical": """
        Categorical Distribution Tensor lazy_property logits_to_probs nan probs_to_logits
    """,
    "torch.distributions.cauchy": """
        Cauchy Distribution Tensor broadcast_all inf nan
    """,
    "torch.distributions.chi2": """
        Chi2 Gamma Tensor
    """,
    "torch.distributions.constraint_registry": """
        ConstraintRegistry biject_to transform_to
    """,
    "torch.distributions.constraints": """
        Constraint MixtureSameFamilyConstraint boolean cat corr_cholesky dependent dependent_property
        greater_than greater_than_eq half_open_interval independent integer_interval interval is_dependent
        less_than lower_cholesky lower_triangular multinomial nonnegative nonnegative_integer one_hot positive
        positive_definite positive_integer positive_semidefinite real real_vector simplex square stack symmetric
        unit_interval
    """,
    "torch.distributions.continuous_bernoulli": """
        ContinuousBernoulli ExponentialFamily Tensor binary_cross_entropy_with_logits broadcast_all clamp_probs
        lazy_property logits_to_probs probs_to_logits
    """,
    "torch.distributions.dirichlet": """
        Dirichlet ExponentialFamily Function Tensor once_differentiable
    """,
    "torch.distributions.distribution": """
        Distribution Tensor lazy_property
    """,
    "torch.distributions.exp_family": """
        Distribution ExponentialFamily Tensor
    """,
    "torch.distributions.exponential": """
        Exponential ExponentialFamily Tensor broadcast_all
    """,
    "torch.distributions.fishersnedecor": """
        Distribution FisherSnedecor Gamma Tensor broadcast_all nan
    """,
    "torch.distributions.gamma": """
        ExponentialFamily Gamma Tensor broadcast_all
    """,
    "torch.distributions.generalized_pareto": """
        Distribution GeneralizedPareto broadcast_all inf nan
    """,
    "torch.distributions.geometric": """
        Distribution Geometric Tensor binary_cross_entropy_with_logits broadcast_all lazy_property
        logits_to_probs probs_to_logits
    """,
    "torch.distributions.gumbel": """
        AffineTransform ExpTransform Gumbel Tensor TransformedDistribution Uniform broadcast_all euler_constant
    """,
    "torch.distributions.half_cauchy": """
        AbsTransform Cauchy HalfCauchy Tensor TransformedDistribution inf
    """,
    "torch.distributions.half_normal": """
        AbsTransform HalfNormal Normal Tensor TransformedDistribution inf
    """,
    "torch.distributions.independent": """
        D Distribution Independent Size Tensor
    """,
    "torch.distributions.inverse_gamma": """
        Gamma InverseGamma PowerTransform Tensor TransformedDistribution
    """,
    "torch.distributions.kl": """
        Bernoulli Beta Binomial Categorical Cauchy ContinuousBernoulli Dirichlet Distribution Exponential
        ExponentialFamily Gamma Geometric Gumbel HalfNormal Independent Laplace LowRankMultivariateNormal
        MultivariateNormal Normal OneHotCategorical Pareto Poisson Tensor TransformedDistribution Uniform inf
        kl_divergence register_kl
    """,
    "torch.distributions.kumaraswamy": """
        AffineTransform Kumaraswamy PowerTransform Tensor TransformedDistribution Uniform broadcast_all
        euler_constant nan
    """,
    "torch.distributions.laplace": """
        Distribution Laplace Tensor broadcast_all
    """,
    "torch.distributions.lkj_cholesky": """
        Beta Distribution LKJCholesky Tensor broadcast_all
    """,
    "torch.distributions.log_normal": """
        ExpTransform LogNormal Normal Tensor TransformedDistribution
    """,
    "torch.distributions.logistic_normal": """
        Independent LogisticNormal Normal StickBreakingTransform Tensor TransformedDistribution
    """,
    "torch.distributions.lowrank_multivariate_normal": """
        Distribution LowRankMultivariateNormal Tensor lazy_property
    """,
    "torch.distributions.mixture_same_family": """
        Categorical Distribution MixtureSameFamily MixtureSameFamilyConstraint Tensor
    """,
    "torch.distributions.multinomial": """
        Binomial Categorical Distribution Multinomial Tensor broadcast_all inf
    """,
    "torch.distributions.multivariate_normal": """
        Distribution MultivariateNormal Tensor lazy_property
    """,
    "torch.distributions.negative_binomial": """
        Distribution Gamma NegativeBinomial Tensor broadcast_all lazy_property logits_to_probs probs_to_logits
    """,
    "torch.distributions.normal": """
        ExponentialFamily Normal Tensor broadcast_all
    """,
    "torch.distributions.one_hot_categorical": """
        Categorical Distribution OneHotCategorical OneHotCategoricalStraightThrough Tensor
    """,
    "torch.distributions.pareto": """
        AffineTransform ExpTransform Exponential Pareto Tensor TransformedDistribution broadcast_all
    """,
    "torch.distributions.poisson": """
        ExponentialFamily Poisson Tensor broadcast_all
    """,
    "torch.distributions.relaxed_bernoulli": """
        Distribution LogitRelaxedBernoulli RelaxedBernoulli SigmoidTransform Tensor TransformedDistribution
        broadcast_all clamp_probs lazy_property logits_to_probs probs_to_logits
    """,
    "torch.distributions.relaxed_categorical": """
        Categorical Distribution ExpRelaxedCategorical ExpTransform RelaxedOneHotCategorical Tensor
        TransformedDistribution broadcast_all clamp_probs
    """,
    "torch.distributions.studentT": """
        Chi2 Distribution StudentT Tensor broadcast_all inf nan
    """,
    "torch.distributions.transformed_distribution": """
        ComposeTransform Distribution Independent Tensor Transform TransformedDistribution
    """,
    "torch.distributions.transforms": """
        AbsTransform AffineTransform CatTransform ComposeTransform CorrCholeskyTransform
        CumulativeDistributionTransform Distribution ExpTransform IndependentTransform LowerCholeskyTransform
        PositiveDefiniteTransform PowerTransform ReshapeTransform SigmoidTransform SoftmaxTransform
        SoftplusTransform StackTransform StickBreakingTransform TanhTransform Tensor Transform broadcast_all
        identity_transform lazy_property pad softplus tril_matrix_to_vec vec_to_tril_matrix
    """,
    "torch.distributions.uniform": """
        Distribution Tensor Uniform broadcast_all nan
    """,
    "torch.distributions.utils": """
        R SymInt T Tensor broadcast_all clamp_probs euler_constant is_tensor_like lazy_property logits_to_probs
        probs_to_logits tril_matrix_to_vec vec_to_tril_matrix
    """,
    "torch.distributions.von_mises": """
        Distribution Tensor VonMises broadcast_all lazy_property
    """,
    "torch.distributions.weibull": """
        AffineTransform Exponential PowerTransform Tensor TransformedDistribution Weibull broadcast_all
        euler_constant
    """,
    "torch.distributions.wishart": """
        ExponentialFamily Tensor Wishart lazy_property nan
    """,
    "torch.export": """
        AdditionalInputs CustomDecompTable DEFAULT_PICKLE_PROTOCOL Dim ExportBackwardSignature
        ExportGraphSignature ExportedProgram FlatArgsAdapter ModuleCallEntry ModuleCallSignature PassResult
        ShapesCollection UnflattenedModule default_decompositions dims draft_export export load
        register_dataclass save unflatten
    """,
    "torch.fft": """
        Tensor common_args factory_common_args fft fft2 fftfreq fftn fftshift hfft hfft2 hfftn ifft ifft2 ifftn
        ifftshift ihfft ihfft2 ihfftn irfft irfft2 irfftn rfft rfft2 rfftfreq rfftn
    """,
    "torch.func": """
        debug_unwrap functional_call functionalize grad grad_and_value hessian jacfwd jacrev jvp linearize
        rearrange replace_all_batch_norm_modules_ stack_module_state vjp vmap
    """,
    "torch.functional": """
        TYPE_CHECKING Tensor atleast_1d atleast_2d atleast_3d block_diag boolean_dispatch broadcast_shapes
        broadcast_tensors cartesian_prod cdist chain_matmul einsum handle_torch_function has_torch_function
        has_torch_function_unary has_torch_function_variadic istft lu meshgrid norm overload pca_lowrank split
        stft svd_lowrank tensordot unique unique_consecutive unravel_index
    """,
    "torch.futures": """
        Future S T TYPE_CHECKING collect_all wait_all
    """,
    "torch.fx": """
        CodeGen Graph GraphModule Interpreter Node PH Proxy ProxyableClassMeta Tracer Transformer
        has_side_effect map_arg replace_pattern symbolic_trace wrap
    """,
    "torch.fx.annotate": """
        Proxy annotate compatibility
    """,
    "torch.fx.config": """
        disable_progress do_not_emit_stack_traces verbose_progress
    """,
    "torch.fx.graph": """
        CodeGen Graph Node PythonCode TYPE_CHECKING TensorType compatibility dtype_abbrs get_opaque_obj_repr
        immutable_dict inplace_methods is_opaque_value_type magic_methods map_arg py_sym_types
        reflectable_magic_methods
    """,
    "torch.fx.graph_module": """
        FX_GRAPH_MODULE_FILE_PREFIX Graph GraphModule Importer PackageExporter PackageImporter PythonCode
        TYPE_CHECKING compatibility reduce_graph_module reduce_package_graph_module sys_importer
    """,
    "torch.fx.immutable_collections": """
        compatibility immutable_dict immutable_list register_pytree_node
    """,
    "torch.fx.interpreter": """
        Graph GraphModule Interpreter LazyString Node Proxy Tracer Transformer compatibility map_aggregate
        map_arg trace_structured
    """,
    "torch.fx.node": """
        ArgsKwargsPair ArgumentT Node TYPE_CHECKING base_types compatibility dtype_abbrs has_side_effect
        map_aggregate map_arg normalize_function normalize_module
    """,
    "torch.fx.operator_schemas": """
        ArgsKwargsPair OpOverload OpOverloadPacket TYPE_CHECKING check_for_mutable_operation compatibility
        create_type_hint get_signature_for_torch_op k normalize_function normalize_module type_matches
    """,
    "torch.fx.proxy": """
        Attribute CapturedTraceback Graph GraphAppendingTracer MetaProxy Node ParameterProxy Proxy Scope
        ScopeContextManager TraceError TracerBase assert_fn base_types check_for_mutable_operation compatibility
        getArtifactLogger immutable_dict immutable_list is_opaque_value_type magic_methods map_arg method
        orig_method_name reflectable_magic_methods tree_map_
    """,
    "torch.fx.subgraph_rewriter": """
        Graph GraphModule Match Node ReplacedPatterns TYPE_CHECKING compatibility replace_pattern
        replace_pattern_with_filters symbolic_trace
    """,
    "torch.fx.tensor_type": """
        Dyn TYPE_CHECKING TensorType Var compatibility is_consistent is_more_precise
    """,
    "torch.fx.traceback": """
        GRADIENT_ACC_SPECIAL_STACK Graph GraphModule MEMORY_BUDGET_ANNOTATION_KEY Node NodeSource
        NodeSourceAction annotate annotate_fn compatibility current_meta current_replay_node format_stack
        get_current_meta get_current_replay_node get_graph_provenance_json has_preserved_node_meta
        preserve_node_meta reset_grad_fn_seq_nr set_current_meta set_current_replay_node set_grad_fn_seq_nr
        set_stack_trace should_preserve_node_meta signpost_event
    """,
    "torch.hub": """
        DEFAULT_CACHE_DIR ENV_GITHUB_TOKEN ENV_TORCH_HOME ENV_XDG_CACHE_HOME MODULE_HUBCONF READ_DATA_CHUNK
        VAR_DEPENDENCY download_url_to_file get_dir help list load load_state_dict_from_url set_dir
    """,
    "torch.jit": """
        Attribute CompilationUnit Error Future ONNXTracedModule RecursiveScriptClass RecursiveScriptModule
        ScriptFunction ScriptModule ScriptWarning TopLevelTracedModule TracedModule TracerWarning
        TracingCheckError annotate enable_onednn_fusion export export_opnames fork freeze fuser ignore interface
        is_scripting is_tracing isinstance jit_module_from_flatbuffer last_executed_optimized_graph load
        onednn_fusion_enabled optimize_for_inference optimized_execution run_frozen_optimizations save
        save_jit_module_to_flatbuffer script script_if_tracing script_method set_fusion_strategy set_module
        strict_fusion trace trace_module unused wait
    """,
    "torch.jit.annotations": """
        AnyType AwaitType BoolType BroadcastingList1 BroadcastingList2 BroadcastingList3 ComplexType
        DeviceObjType DictType EnumType EvalEnv FloatType Future FutureType IntType InterfaceType ListType
        Module NoneType NumberType OpOverloadPacket OptionalType RRef RRefType StreamObjType StringType
        TensorType TupleType UnionType ann_to_type check_fn get_enum_value_type get_param_names get_signature
        get_source_lines_and_file get_type_line is_await is_dict is_function_or_method is_future is_ignored_fn
        is_list is_optional is_rref is_tensor is_tuple is_union is_vararg parse_type_line split_type_line
        try_ann_to_type try_real_annotations
    """,
    "torch.jit.frontend": """
        Apply Assert Assign Attribute AugAssign BinOp Break Builder ClassDef Const Continue
        DATACLASS_MAGIC_METHODS Decl Def Delete DictComp DictLiteral Dots EmptyTypeAnnotation ExprBuilder
        ExprStmt FalseLiteral For FrontendError FrontendTypeError FunctionModifiers Ident If ListComp
        ListLiteral NoneLiteral NotSupportedError Param Pass Property Raise Return Select SliceExpr Starred Stmt
        StmtBuilder StringLiteral Subscript TernaryIf TrueLiteral TupleLiteral UnaryOp UnsupportedNodeError Var
        While With WithItem WithItemBuilder build_class_def build_def build_expr build_ignore_context_manager
        build_param build_param_list build_stmt build_stmts build_withitem build_withitems find_before
        get_class_assigns get_class_properties get_default_args get_default_args_for_class get_jit_class_def
        get_jit_def get_qualified_name get_source_lines_and_file is_reserved_name is_static_fn
        is_torch_jit_ignore_context_manager make_source_context monkeytype_trace node_start_tokens parse_def
        pretty_node_names should_drop
    """,
    "torch.jit.generate_bytecode": """
        format_bytecode generate_upgraders_bytecode
    """,
    "torch.jit.mobile": """
        LiteScriptModule validate_map_location
    """,
    "torch.jit.quantized": """
        QuantizedGRU QuantizedGRUCell QuantizedLSTM QuantizedLSTMCell QuantizedLinear QuantizedLinearFP16
        QuantizedRNNBase QuantizedRNNCell QuantizedRNNCellBase quantize_linear_modules quantize_rnn_cell_modules
        quantize_rnn_modules
    """,
    "torch.jit.unsupported_tensor_ops": """
        execWrapper
    """,
    "torch.library": """
        CustomOpDef EffectType Library OpOverload TYPE_CHECKING custom_op define fallthrough_kernel get_ctx
        get_kernel impl impl_abstract infer_schema opcheck register_autocast register_autograd register_fake
        register_kernel register_torch_dispatch register_vmap triton_op wrap_triton
    """,
    "torch.linalg": """
        LinAlgError cholesky cholesky_ex common_notes cond cross det diagonal eig eigh eigvals eigvalsh
        householder_product inv inv_ex ldl_factor ldl_factor_ex ldl_solve lstsq lu lu_factor lu_factor_ex
        lu_solve matmul matrix_exp matrix_norm matrix_power matrix_rank multi_dot norm pinv qr slogdet solve
        solve_ex solve_triangular svd svdvals tensorinv tensorsolve vander vecdot vector_norm
    """,
    "torch.masked": """
        MaskedTensor amax amin argmax argmin as_masked_tensor cumprod cumsum is_masked_tensor log_softmax
        logaddexp logsumexp masked_tensor mean median norm normalize prod softmax softmin std sum var
    """,
    "torch.masked.maskedtensor": """
        MaskedTensor is_masked_tensor
    """,
    "torch.monitor": """
        Aggregation COUNT Event EventHandlerHandle MAX MEAN MIN STAT_EVENT SUM Stat TYPE_CHECKING
        TensorboardEventHandler VALUE data_value_t log_event register_event_handler unregister_event_handler
    """,
    "torch.mps": """
        Event Tensor compile_shader current_allocated_memory device_count driver_allocated_memory empty_cache
        get_rng_state is_available load_metallib manual_seed recommended_max_memory seed
        set_per_process_memory_fraction set_rng_state synchronize
    """,
    "torch.mps.event": """
        Event
    """,
    "torch.mps.profiler": """
        is_capturing_metal is_metal_capture_enabled metal_capture profile start stop
    """,
    "torch.mtia": """
        DeferredMtiaCallError Event MTIAGraph Stream StreamContext Tensor attach_out_of_memory_observer
        current_device current_stream default_generators default_stream device device_count empty_cache
        get_device_capability get_device_properties get_rng_state get_rng_state_all graph graph_pool_handle init
        initial_seed is_available is_bf16_supported is_fbcode is_initialized is_prod manual_seed manual_seed_all
        max_memory_allocated memory_allocated memory_stats record_memory_history reset_peak_memory_stats seed
        seed_all set_device set_rng_state set_rng_state_all set_stream snapshot stream synchronize
    """,
    "torch.mtia.memory": """
        is_initialized max_memory_allocated memory_allocated memory_stats reset_peak_memory_stats
    """,
    "torch.mtia.mtia_graph": """
        MTIAGraph graph graph_pool_handle
    """,
    "torch.multiprocessing": """
        ENV_VAR_PARALLEL_START ProcessContext ProcessExitedException ProcessRaisedException SpawnContext
        get_all_sharing_strategies get_sharing_strategy init_reductions set_sharing_strategy spawn
        start_processes
    """,
    "torch.multiprocessing.pool": """
        Pool SimpleQueue clean_worker
    """,
    "torch.multiprocessing.queue": """
        ConnectionWrapper Queue SimpleQueue
    """,
    "torch.multiprocessing.reductions": """
        SharedCache StorageWeakRef fd_id init_reductions rebuild_cuda_tensor rebuild_event rebuild_meta_tensor
        rebuild_nested_tensor rebuild_sparse_compressed_tensor rebuild_sparse_coo_tensor rebuild_storage_empty
        rebuild_storage_fd rebuild_storage_filename rebuild_tensor rebuild_typed_storage
        rebuild_typed_storage_child reduce_event reduce_nested_tensor reduce_sparse_tensor reduce_storage
        reduce_tensor reduce_typed_storage reduce_typed_storage_child shared_cache storage_from_cache
    """,
    "torch.multiprocessing.spawn": """
        ENV_VAR_PARALLEL_START ProcessContext ProcessException ProcessExitedException ProcessRaisedException
        SpawnContext spawn start_processes
    """,
    "torch.nested": """
        DType Device SymInt Tensor as_nested_tensor masked_select narrow nested_tensor nested_tensor_from_jagged
        to_padded_tensor
    """,
    "torch.nn": """
        AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveLogSoftmaxWithLoss AdaptiveMaxPool1d
        AdaptiveMaxPool2d AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BCELoss BCEWithLogitsLoss
        BatchNorm1d BatchNorm2d BatchNorm3d Bilinear Buffer CELU CTCLoss ChannelShuffle CircularPad1d
        CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d Container Conv1d Conv2d Conv3d
        ConvTranspose1d ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss CosineSimilarity CrossEntropyLoss
        CrossMapLRN2d DataParallel Dropout Dropout1d Dropout2d Dropout3d ELU Embedding EmbeddingBag
        FeatureAlphaDropout Flatten Fold FractionalMaxPool2d FractionalMaxPool3d GELU GLU GRU GRUCell
        GaussianNLLLoss GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh HingeEmbeddingLoss HuberLoss
        Identity InstanceNorm1d InstanceNorm2d InstanceNorm3d KLDivLoss L1Loss LPPool1d LPPool2d LPPool3d LSTM
        LSTMCell LayerNorm LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d
        LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d LazyInstanceNorm2d
        LazyInstanceNorm3d LazyLinear LeakyReLU Linear LinearCrossEntropyLoss LinearCrossEntropyOptions
        LocalResponseNorm LogSigmoid LogSoftmax MSELoss MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d
        MaxUnpool1d MaxUnpool2d MaxUnpool3d Mish Module ModuleDict ModuleList MultiLabelMarginLoss
        MultiLabelSoftMarginLoss MultiMarginLoss MultiheadAttention NLLLoss NLLLoss2d PReLU PairwiseDistance
        Parameter ParameterDict ParameterList PixelShuffle PixelUnshuffle PoissonNLLLoss RMSNorm RNN RNNBase
        RNNCell RNNCellBase RReLU ReLU ReLU6 ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d
        ReplicationPad2d ReplicationPad3d SELU Sequential SiLU Sigmoid SmoothL1Loss SoftMarginLoss Softmax
        Softmax2d Softmin Softplus Softshrink Softsign SyncBatchNorm Tanh Tanhshrink Threshold Transformer
        TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer TripletMarginLoss
        TripletMarginWithDistanceLoss Unflatten Unfold UninitializedBuffer UninitializedParameter Upsample
        UpsamplingBilinear2d UpsamplingNearest2d ZeroPad1d ZeroPad2d ZeroPad3d factory_kwargs
    """,
    "torch.nn.attention": """
        SDPAParams SDPBackend WARN_FOR_UNFUSED_KERNELS activate_flash_attention_impl can_use_efficient_attention
        can_use_flash_attention current_flash_attention_impl list_flash_attention_impls
        register_flash_attention_impl restore_flash_attention_impl sdpa_kernel
    """,
    "torch.nn.common_types": """
        T Tensor
    """,
    "torch.nn.cpp": """
        ModuleWrapper OrderedDictWrapper
    """,
    "torch.nn.functional": """
        BroadcastingList1 BroadcastingList2 BroadcastingList3 GRID_SAMPLE_INTERPOLATION_MODES
        GRID_SAMPLE_PADDING_MODES ScalingType SwizzleType TYPE_CHECKING Tensor adaptive_avg_pool1d
        adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool1d_with_indices
        adaptive_max_pool2d adaptive_max_pool2d_with_indices adaptive_max_pool3d
        adaptive_max_pool3d_with_indices affine_grid alpha_dropout assert_int_or_pair avg_pool1d avg_pool2d
        avg_pool3d batch_norm bilinear binary_cross_entropy binary_cross_entropy_with_logits boolean_dispatch
        celu celu_ channel_shuffle conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d
        conv_transpose3d cosine_embedding_loss cosine_similarity cross_entropy ctc_loss dropout dropout1d
        dropout2d dropout3d elu elu_ embedding embedding_bag feature_alpha_dropout fold fractional_max_pool2d
        fractional_max_pool2d_with_indices fractional_max_pool3d fractional_max_pool3d_with_indices
        gaussian_nll_loss gelu glu grid_sample group_norm grouped_mm gumbel_softmax handle_torch_function
        hardshrink hardsigmoid hardswish hardtanh hardtanh_ has_torch_function has_torch_function_unary
        has_torch_function_variadic hinge_embedding_loss huber_loss instance_norm interpolate kl_div l1_loss
        layer_norm leaky_relu leaky_relu_ linear linear_cross_entropy local_response_norm log_softmax logsigmoid
        lp_pool1d lp_pool2d lp_pool3d margin_ranking_loss max_pool1d max_pool1d_with_indices max_pool2d
        max_pool2d_with_indices max_pool3d max_pool3d_with_indices max_unpool1d max_unpool2d max_unpool3d mish
        mse_loss multi_head_attention_forward multi_margin_loss multilabel_margin_loss
        multilabel_soft_margin_loss native_channel_shuffle nll_loss normalize one_hot pad pairwise_distance
        pdist pixel_shuffle pixel_unshuffle poisson_nll_loss prelu relu relu6 relu_ reproducibility_notes
        rms_norm rrelu rrelu_ scaled_dot_product_attention scaled_grouped_mm scaled_mm selu selu_ sigmoid silu
        smooth_l1_loss soft_margin_loss softmax softmin softplus softshrink softsign sparse_support_notes tanh
        tanhshrink tf32_notes threshold threshold_ triplet_margin_loss triplet_margin_with_distance_loss unfold
        upsample upsample_bilinear upsample_nearest
    """,
    "torch.nn.grad": """
        conv1d_input conv1d_weight conv2d_input conv2d_weight conv3d_input conv3d_weight
    """,
    "torch.nn.init": """
        Tensor calculate_gain constant constant_ dirac dirac_ eye eye_ kaiming_normal kaiming_normal_
        kaiming_uniform kaiming_uniform_ normal normal_ ones_ orthogonal orthogonal_ sparse sparse_
        trunc_normal_ uniform uniform_ xavier_normal xavier_normal_ xavier_uniform xavier_uniform_ zeros_
    """,
    "torch.nn.modules": """
        AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveLogSoftmaxWithLoss AdaptiveMaxPool1d
        AdaptiveMaxPool2d AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BCELoss BCEWithLogitsLoss
        BatchNorm1d BatchNorm2d BatchNorm3d Bilinear CELU CTCLoss ChannelShuffle CircularPad1d CircularPad2d
        CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d Container Conv1d Conv2d Conv3d ConvTranspose1d
        ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss CosineSimilarity CrossEntropyLoss CrossMapLRN2d
        Dropout Dropout1d Dropout2d Dropout3d ELU Embedding EmbeddingBag FeatureAlphaDropout Flatten Fold
        FractionalMaxPool2d FractionalMaxPool3d GELU GLU GRU GRUCell GaussianNLLLoss GroupNorm Hardshrink
        Hardsigmoid Hardswish Hardtanh HingeEmbeddingLoss HuberLoss Identity InstanceNorm1d InstanceNorm2d
        InstanceNorm3d KLDivLoss L1Loss LPPool1d LPPool2d LPPool3d LSTM LSTMCell LayerNorm LazyBatchNorm1d
        LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d
        LazyConvTranspose3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d LazyLinear LeakyReLU Linear
        LinearCrossEntropyLoss LinearCrossEntropyOptions LocalResponseNorm LogSigmoid LogSoftmax MSELoss
        MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d Mish Module
        ModuleDict ModuleList MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss MultiheadAttention
        NLLLoss NLLLoss2d PReLU PairwiseDistance ParameterDict ParameterList PixelShuffle PixelUnshuffle
        PoissonNLLLoss RMSNorm RNN RNNBase RNNCell RNNCellBase RReLU ReLU ReLU6 ReflectionPad1d ReflectionPad2d
        ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d SELU Sequential SiLU Sigmoid
        SmoothL1Loss SoftMarginLoss Softmax Softmax2d Softmin Softplus Softshrink Softsign SyncBatchNorm Tanh
        Tanhshrink Threshold Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder
        TransformerEncoderLayer TripletMarginLoss TripletMarginWithDistanceLoss Unflatten Unfold Upsample
        UpsamplingBilinear2d UpsamplingNearest2d ZeroPad1d ZeroPad2d ZeroPad3d
    """,
    "torch.nn.parallel": """
        DataParallel DistributedDataParallel DistributedDataParallelCPU data_parallel gather parallel_apply
        replicate scatter
    """,
    "torch.nn.parameter": """
        Buffer Parameter UninitializedBuffer UninitializedParameter UninitializedTensorMixin is_lazy
    """,
    "torch.nn.utils": """
        clip_grad_norm clip_grad_norm_ clip_grad_value_ clip_grads_with_norm_
        convert_conv2d_weight_memory_format convert_conv3d_weight_memory_format fuse_conv_bn_eval
        fuse_conv_bn_weights fuse_linear_bn_eval fuse_linear_bn_weights get_total_norm parameters_to_vector
        remove_spectral_norm remove_weight_norm skip_init spectral_norm vector_to_parameters weight_norm
    """,
    "torch.numa.binding": """
        AffinityMode K NumaOptions V signpost_event
    """,
    "torch.onnx": """
        ExportableModule InputObserver JitScalarType ONNXProgram OnnxExporterError OperatorExportTypes
        TYPE_CHECKING TensorProtoDataType TrainingMode export is_in_onnx_export producer_name producer_version
        register_custom_op_symbolic select_model_mode_for_export unregister_custom_op_symbolic
    """,
    "torch.optim": """
        ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam Optimizer RAdam RMSprop Rprop SGD
        SparseAdam swap_in_optimizer_params_and_state
    """,
    "torch.optim.adadelta": """
        Adadelta Optimizer Tensor adadelta
    """,
    "torch.optim.adagrad": """
        Adagrad Optimizer Tensor adagrad
    """,
    "torch.optim.adam": """
        Adam Optimizer Tensor adam
    """,
    "torch.optim.adamax": """
        Adamax Optimizer Tensor adamax
    """,
    "torch.optim.adamw": """
        Adam AdamW Tensor adam adamw
    """,
    "torch.optim.asgd": """
        ASGD Optimizer Tensor asgd
    """,
    "torch.optim.lbfgs": """
        LBFGS Optimizer Tensor
    """,
    "torch.optim.lr_scheduler": """
        ChainedScheduler ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR
        EPOCH_DEPRECATION_WARNING ExponentialLR LRScheduler LambdaLR LinearLR MultiStepLR MultiplicativeLR
        OneCycleLR Optimizer PolynomialLR ReduceLROnPlateau SequentialLR StepLR TYPE_CHECKING Tensor inf
    """,
    "torch.optim.nadam": """
        NAdam Optimizer Tensor nadam
    """,
    "torch.optim.optimizer": """
        Optimizer R RemovableHandle T register_optimizer_step_post_hook register_optimizer_step_pre_hook
        required
    """,
    "torch.optim.radam": """
        Optimizer RAdam Tensor radam
    """,
    "torch.optim.rmsprop": """
        Optimizer RMSprop Tensor rmsprop
    """,
    "torch.optim.rprop": """
        Optimizer Rprop Tensor rprop
    """,
    "torch.optim.sgd": """
        Optimizer SGD Tensor sgd
    """,
    "torch.optim.sparse_adam": """
        Optimizer SparseAdam Tensor
    """,
    "torch.optim.swa_utils": """
        AveragedModel LRScheduler Module SWALR TYPE_CHECKING Tensor get_ema_avg_fn get_ema_multi_avg_fn
        get_swa_avg_fn get_swa_multi_avg_fn update_bn
    """,
    "torch.overrides": """
        BaseTorchFunctionMode TorchFunctionMode enable_reentrant_dispatch get_default_nowrap_functions
        get_ignored_functions get_overridable_functions get_testing_overrides handle_torch_function
        has_torch_function has_torch_function_unary has_torch_function_variadic is_tensor_like
        is_tensor_method_or_property redispatch_function resolve_name wrap_torch_function
    """,
    "torch.package": """
        Directory EmptyMatchError GlobGroup Importer ObjMismatchError ObjNotFoundError OrderedImporter
        PackageExporter PackageImporter PackagingError is_from_package sys_importer
    """,
    "torch.profiler": """
        DeviceType ExecutionTraceObserver KinetoStepTracker Optimizer ProfilerAction ProfilerActivity
        RecordScope is_fbcode kineto_available profile record_function register_optimizer_step_post_hook
        schedule supported_activities tensorboard_trace_handler
    """,
    "torch.profiler.itt": """
        is_available mark range range_pop range_push
    """,
    "torch.profiler.profiler": """
        ExecutionTraceObserver MemoryProfile MemoryProfileTimeline PROFILER_STEP_NAME ProfilerAction
        ProfilerActivity TYPE_CHECKING is_fbcode kineto_available profile
        profiler_allow_cudagraph_cupti_lazy_reinit_cuda12 schedule supported_activities
        tensorboard_trace_handler
    """,
    "torch.quasirandom": """
        SobolEngine
    """,
    "torch.random": """
        TYPE_CHECKING default_generator fork_rng get_rng_state initial_seed manual_seed seed set_rng_state
        thread_safe_generator
    """,
    "torch.return_types": """
        SequenceKey all_return_types aminmax aminmax_out cummax cummax_out cummin cummin_out frexp frexp_out
        geqrf geqrf_out histogram histogram_out histogramdd kthvalue kthvalue_out linalg_cholesky_ex
        linalg_cholesky_ex_out linalg_eig linalg_eig_out linalg_eigh linalg_eigh_out linalg_inv_ex
        linalg_inv_ex_out linalg_ldl_factor linalg_ldl_factor_ex linalg_ldl_factor_ex_out linalg_ldl_factor_out
        linalg_lstsq linalg_lstsq_out linalg_lu linalg_lu_factor linalg_lu_factor_ex linalg_lu_factor_ex_out
        linalg_lu_factor_out linalg_lu_out linalg_qr linalg_qr_out linalg_slogdet linalg_slogdet_out
        linalg_solve_ex linalg_solve_ex_out linalg_svd linalg_svd_out lu_unpack lu_unpack_out max max_out median
        median_out min min_out mode mode_out name nanmedian nanmedian_out pytree_register_structseq qr qr_out
        register_pytree_node slogdet slogdet_out sort sort_out svd svd_out topk topk_out triangular_solve
        triangular_solve_out
    """,
    "torch.serialization": """
        DEFAULT_PROTOCOL INT_SIZE IS_WINDOWS LONG_SIZE LoadEndianness MAGIC_NUMBER MAP_PRIVATE MAP_SHARED
        PROTOCOL_VERSION SHORT_SIZE STORAGE_KEY_SEPARATOR SourceChangeWarning Storage StorageType T
        UNSAFE_MESSAGE add_safe_globals check_module_version_greater_or_equal clear_safe_globals
        default_restore_location get_crc32_options get_default_load_endianness get_default_mmap_options
        get_safe_globals get_source_lines_and_file get_unsafe_globals_in_checkpoint load location_tag mkdtemp
        normalize_storage_type register_package safe_globals save set_crc32_options set_default_load_endianness
        set_default_mmap_options skip_data storage_to_tensor_type validate_cuda_device validate_hpu_device
    """,
    "torch.signal.windows": """
        bartlett blackman cosine exponential gaussian general_cosine general_hamming hamming hann kaiser nuttall
    """,
    "torch.sparse": """
        BFloat16Tensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor
        ShortTensor SparseSemiStructuredTensor SparseSemiStructuredTensorCUSPARSELT
        SparseSemiStructuredTensorCUTLASS TYPE_CHECKING Tensor addmm as_sparse_gradcheck
        check_sparse_tensor_invariants log_softmax mm sampled_addmm softmax spdiags spsolve sum
        to_sparse_semi_structured
    """,
    "torch.sparse.semi_structured": """
        SparseSemiStructuredTensor SparseSemiStructuredTensorCUSPARSELT SparseSemiStructuredTensorCUTLASS
        fallback_dispatcher semi_sparse_addmm semi_sparse_clone semi_sparse_detach semi_sparse_indices
        semi_sparse_linear semi_sparse_mm semi_sparse_scaled_mm semi_sparse_t semi_sparse_to semi_sparse_to_copy
        semi_sparse_values semi_sparse_view sparse_semi_structured_from_dense_cutlass
        sparse_semi_structured_to_dense_cutlass to_sparse_semi_structured
    """,
    "torch.special": """
        Tensor airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 chebyshev_polynomial_t chebyshev_polynomial_u
        chebyshev_polynomial_v chebyshev_polynomial_w common_args digamma entr erf erfc erfcx erfinv exp2 expit
        expm1 gammainc gammaincc gammaln hermite_polynomial_h hermite_polynomial_he i0 i0e i1 i1e
        laguerre_polynomial_l legendre_polynomial_p log1p log_ndtr log_softmax logit logsumexp
        modified_bessel_i0 modified_bessel_i1 modified_bessel_k0 modified_bessel_k1 multi_dim_common
        multigammaln ndtr ndtri polygamma psi round scaled_modified_bessel_k0 scaled_modified_bessel_k1
        shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v
        shifted_chebyshev_polynomial_w sinc softmax spherical_bessel_j0 xlog1py xlogy zeta
    """,
    "torch.storage": """
        HAS_NUMPY Storage T TYPE_CHECKING TypedStorage UntypedStorage
    """,
    "torch.testing": """
        FileCheck assert_allclose assert_close make_tensor
    """,
    "torch.torch_version": """
        InvalidVersion TorchVersion Version cmp_method internal_version
    """,
    "torch.types": """
        DispatchKey Size Storage SymBool SymFloat SymInt TYPE_CHECKING Tensor py_sym_types
    """,
    "torch.utils": """
        ThroughputBenchmark cmake_prefix_path generate_methods_for_privateuse1_backend get_cpp_backtrace
        rename_privateuse1_backend set_module swap_tensors
    """,
    "torch.utils.backcompat": """
        Warning broadcast_warning keepdim_warning
    """,
    "torch.utils.backend_registration": """
        generate_methods_for_privateuse1_backend handle_torch_function has_torch_function_unary
        rename_privateuse1_backend
    """,
    "torch.utils.benchmark": """
        CallgrindStats Colorize Compare CopyIfCallgrind FunctionCount FunctionCounts FuzzedParameter
        FuzzedSparseTensor FuzzedTensor Fuzzer Language Measurement ParameterAlias TaskSpec Timer ordered_unique
        select_unit set_torch_threads timer trim_sigfig unit_to_english
    """,
    "torch.utils.bundled_inputs": """
        InflatableArg ListType MAX_RAW_TENSOR_SIZE T TupleType augment_many_model_functions_with_bundled_inputs
        augment_model_with_bundled_inputs bundle_inputs bundle_large_tensor bundle_randn wrap_cpp_module
    """,
    "torch.utils.checkpoint": """
        CheckpointError CheckpointFunction CheckpointPolicy DefaultDeviceType GraphExecGroup LoggingTensorMode
        SAC_IGNORED_OPS SavedTensor SelectiveCheckpointContext TYPE_CHECKING TorchDispatchMode capture_logs
        check_backward_validity checkpoint checkpoint_sequential create_selective_checkpoint_contexts
        detach_variable get_device_states noop_context_fn set_checkpoint_debug_enabled set_checkpoint_early_stop
        set_device_states tree_map
    """,
    "torch.utils.collect_env": """
        COMMON_PATTERNS CONDA_PATTERNS NVIDIA_PATTERNS ONEAPI_PATTERNS PIP_PATTERNS SystemEnv TORCH_AVAILABLE
        check_release_file env_info_fmt get_cachingallocator_config get_clang_version get_cmake_version
        get_conda_packages get_cpu_info get_cuda_module_loading_config get_cudnn_version get_env_info
        get_gcc_version get_gpu_info get_intel_gpu_detected get_intel_gpu_driver_version get_intel_gpu_onboard
        get_libc_version get_linux_pkg_version get_lsb_version get_mac_version get_nvidia_driver_version
        get_nvidia_smi get_os get_pip_packages get_platform get_pretty_env_info get_python_platform
        get_running_cuda_version get_windows_version is_xnnpack_available main pretty_str run
        run_and_parse_first_match run_and_read_all run_and_return_first_line
    """,
    "torch.utils.cpp_backtrace": """
        get_cpp_backtrace
    """,
    "torch.utils.cpp_extension": """
        ABI_INCOMPATIBILITY_WARNING CLIB_EXT CLIB_PREFIX COMMON_HIPCC_FLAGS COMMON_HIP_FLAGS COMMON_MSVC_FLAGS
        COMMON_NVCC_FLAGS CUDAExtension CUDA_CLANG_VERSIONS CUDA_GCC_VERSIONS CUDA_HOME CUDA_MISMATCH_MESSAGE
        CUDA_MISMATCH_WARN CUDA_NOT_FOUND_MESSAGE CUDNN_HOME CppExtension EXEC_EXT ExtensionVersioner FileBaton
        HIP_HOME IS_HIP_EXTENSION IS_LINUX IS_MACOS IS_WINDOWS JIT_EXTENSION_VERSIONER LIB_EXT
        MINIMUM_CLANG_VERSION MINIMUM_GCC_VERSION MINIMUM_MSVC_VERSION MSVC_IGNORE_CUDAFE_WARNINGS
        PLAT_TO_VCVARS ROCM_HOME ROCM_VERSION SHARED_FLAG SUBPROCESS_DECODE_ARGS SYCL_HOME SyclExtension
        TORCH_LIB_PATH TYPE_CHECKING TorchVersion Version WINDOWS_CUDA_HOME WRONG_COMPILER_WARNING
        check_compiler_is_gcc check_compiler_ok_for_platform get_compiler_abi_compatibility_and_version
        get_cxx_compiler get_default_build_root include_paths is_ninja_available library_paths load load_inline
        min_supported_cpython remove_extension_h_precompiler_headers verify_ninja_availability
    """,
    "torch.utils.data": """
        BatchSampler ChainDataset ConcatDataset DFIterDataPipe DataChunk DataLoader Dataset DistributedSampler
        IterDataPipe IterableDataset MapDataPipe RandomSampler Sampler SequentialSampler StackDataset Subset
        SubsetRandomSampler TensorDataset WeightedRandomSampler argument_validation default_collate
        default_convert functional_datapipe get_worker_info guaranteed_datapipes_determinism non_deterministic
        random_split runtime_validation runtime_validation_disabled
    """,
    "torch.utils.debug_log": """
        debug_grad_log leaf_function
    """,
    "torch.utils.dlpack": """
        DLDeviceType from_dlpack to_dlpack
    """,
    "torch.utils.file_baton": """
        FileBaton
    """,
    "torch.utils.flop_counter": """
        FlopCounterMode ModuleTracker TorchDispatchMode addmm_flop baddbmm_flop bmm_flop conv_backward_flop
        conv_flop conv_flop_count convert_num_with_suffix convert_to_percent_str flop_registry get_shape
        get_suffix_str mm_flop normalize_tuple register_flop_formula sdpa_backward_flop sdpa_backward_flop_count
        sdpa_flop sdpa_flop_count shape_wrapper suffixes tree_flatten tree_map tree_unflatten
    """,
    "torch.utils.hooks": """
        BackwardHook RemovableHandle unserializable_hook warn_if_has_hooks
    """,
    "torch.utils.mkldnn": """
        MkldnnBatchNorm MkldnnConv1d MkldnnConv2d MkldnnConv3d MkldnnLinear MkldnnPrelu to_mkldnn
    """,
    "torch.utils.mobile_optimizer": """
        LintCode MobileOptimizerType generate_mobile_module_lints optimize_for_mobile
    """,
    "torch.utils.model_dump": """
        DEFAULT_EXTRA_FILE_SIZE_LIMIT burn_in_info get_info_and_burn_skeleton get_inline_skeleton get_model_info
        get_storage_info hierarchical_pickle main
    """,
    "torch.utils.model_zoo": """
        load_url
    """,
    "torch.utils.module_tracker": """
        ModuleTracker TYPE_CHECKING register_module_forward_hook register_module_forward_pre_hook
        register_multi_grad_hook tree_flatten
    """,
    "torch.utils.show_pickle": """
        DumpUnpickler FakeClass FakeObject main
    """,
    "torch.utils.throughput_benchmark": """
        ExecutionStats ThroughputBenchmark format_time
    """,
    "torch.utils.weak": """
        Tensor TensorWeakRef WeakIdKeyDictionary WeakIdRef WeakTensorKeyDictionary
    """,
    "torch.version": """
        cuda debug git_version hip rocm xpu
    """,
    "torch.xpu": """
        Event MemPool Stream StreamContext TYPE_CHECKING XPUGraph XPUPluggableAllocator can_device_access_peer
        change_current_allocator clock_rate current_device current_stream default_generators device device_count
        device_memory_used device_of empty_cache get_arch_list get_device_capability get_device_name
        get_device_properties get_gencode_flags get_per_process_memory_fraction get_rng_state get_rng_state_all
        get_stream_from_external graph graph_pool_handle init initial_seed is_available is_bf16_supported
        is_current_stream_capturing is_initialized is_tf32_supported make_graphed_callables manual_seed
        manual_seed_all max_memory_allocated max_memory_reserved mem_get_info memory_allocated memory_reserved
        memory_snapshot memory_stats memory_stats_as_nested_dict memory_usage power_draw
        reset_accumulated_memory_stats reset_peak_memory_stats seed seed_all set_device
        set_per_process_memory_fraction set_rng_state set_rng_state_all set_stream stream synchronize
        temperature use_mem_pool utilization
    """,
    "torch.xpu.graphs": """
        TYPE_CHECKING Tensor XPUGraph graph graph_pool_handle is_current_stream_capturing make_graphed_callables
    """,
    "torch.xpu.memory": """
        MemPool XPUPluggableAllocator change_current_allocator empty_cache get_per_process_memory_fraction
        is_initialized max_memory_allocated max_memory_reserved mem_get_info memory_allocated memory_reserved
        memory_snapshot memory_stats memory_stats_as_nested_dict reset_accumulated_memory_stats
        reset_peak_memory_stats set_per_process_memory_fraction use_mem_pool
    """,
    "torch.xpu.random": """
        Tensor current_device device_count get_rng_state get_rng_state_all initial_seed is_initialized
        manual_seed manual_seed_all seed seed_all set_rng_state set_rng_state_all
    """,
    "torch.xpu.streams": """
        Event Stream
    """,
}
