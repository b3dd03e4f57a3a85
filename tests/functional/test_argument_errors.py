"""Calls at the edge of what PyTorch accepts: the same result, or the same error in the same words.

L is either library, F its nn.functional. Compared are dtype, shape, values and requires_grad; for an error its type
and first line.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import npg
from tests.expressions import check_error

CALLS = """
# ----- Nan, limits and dtypes -----
L.allclose(L.ones(2),L.ones(2),rtol=float('nan'))
L.allclose(L.ones(2),L.ones(2),atol=float('nan'))
L.isclose(L.ones(2),L.ones(2),atol=float('nan'))
L.isclose(L.ones(2),L.ones(2),rtol=float('nan'))
L.isclose(L.tensor([1]),L.tensor([1]),rtol=float('nan'))
F.cosine_similarity(L.ones(2),L.ones(2),0,float('nan'))
F.alpha_dropout(L.ones(2),float('nan'),False)
F.alpha_dropout(L.ones(2),float('nan'),True)
F.feature_alpha_dropout(L.ones(2,2),float('nan'),False)
L.feature_dropout(L.ones(2,2),float('nan'),False)
L.alpha_dropout(L.ones(2,2),float('nan'),False)
L.dropout(L.ones(2),float('nan'),False)
F.dropout(L.ones(2),float('nan'),False)
F.dropout2d(L.ones(2,2),float('nan'),False)
F.smooth_l1_loss(L.ones(2),L.ones(2),beta=float('nan'))
F.huber_loss(L.ones(2),L.ones(2),delta=float('nan'))
F.softshrink(L.ones(2),1e39)
F.softshrink(L.ones(2).double(),1e300)
F.hardshrink(L.ones(2).half(),1e30)
F.hardshrink(L.ones(2),1e300)
F.hardtanh(L.ones(2).half(),-1e30,1e30)
F.hardtanh(L.ones(2).half(),-1.,1e30)
L.pow(L.ones(2).half(),1e30)
L.pow(L.ones(2),1e300)
L.pow(1e30,L.ones(2).half())
L.pow(1e300,L.ones(2))
L.ones(2).half().pow_(1e30)
F.threshold(L.ones(2).half(),1e30,1e30)
F.leaky_relu(L.ones(2).half(),1e30)
F.elu(L.ones(2).half(),1e30)
F.celu(L.ones(2).half(),1e30)
F.softplus(L.ones(2).half(),1e30)
F.softplus(L.ones(2).half(),1.,1e30)
L.remainder(L.ones(2).half(),1e30)
L.fmod(L.ones(2).half(),1e30)
L.hypot(L.ones(2).half(),L.tensor(1e30))
L.lerp(L.ones(2).half(),L.ones(2).half(),1e30)
L.addcmul(L.ones(2).half(),L.ones(2).half(),L.ones(2).half(),value=1e30)
L.clamp(L.ones(2).half(),1e30)
L.nansum(L.ones(2,requires_grad=True),dtype=L.int64)
L.ones(1).expand(2,2).nan_to_num_()
# ----- Empty tensors -----
L.ones(2,requires_grad=True).scatter_(0,L.empty(0,dtype=L.int64),1.)
L.ones(2,requires_grad=True).scatter_(0,L.empty(0,dtype=L.int64),L.ones(2))
L.ones(2,requires_grad=True).scatter_add_(0,L.empty(0,dtype=L.int64),L.ones(2))
L.ones(2,requires_grad=True).scatter_reduce_(0,L.empty(0,dtype=L.int64),L.ones(2),'sum')
L.ones(2,requires_grad=True).scatter_reduce_(0,L.empty(0,dtype=L.int64),L.ones(2),'amax')
L.ones(2,requires_grad=True).scatter_(0,L.empty(0,dtype=L.int64),L.ones(2),reduce='add')
L.ones(2,requires_grad=True).index_add_(0,L.empty(0,dtype=L.int64),L.ones(0))
L.ones(2,requires_grad=True).index_copy_(0,L.empty(0,dtype=L.int64),L.ones(0))
L.ones(2,requires_grad=True).index_fill_(0,L.empty(0,dtype=L.int64),1.)
L.ones(2,requires_grad=True).put_(L.empty(0,dtype=L.int64),L.ones(0))
L.ones(2,requires_grad=True).index_put_((L.empty(0,dtype=L.int64),),L.ones(0))
L.roll(L.ones(0),1,0)
L.roll(L.ones(0),1,1)
L.zeros(0).view(-1,0)
F.softmax(L.zeros(0,dtype=L.int64),0)
F.log_softmax(L.zeros(0,dtype=L.int64),0)
F.softmax(L.zeros(0,3,dtype=L.int64),1)
F.softmax(L.zeros(0,dtype=L.bool),0)
L.softmax(L.zeros(0,dtype=L.int64),0)
L.logsumexp(L.zeros(0,dtype=L.int64),0)
F.softmin(L.zeros(0,dtype=L.int64),0)
L.zeros(0,dtype=L.int64).normal_()
L.zeros(0,dtype=L.bool).normal_()
L.zeros(0,dtype=L.int64).uniform_()
L.zeros(0,dtype=L.int64).cauchy_()
L.zeros(0,dtype=L.int64).bernoulli_()
L.zeros(0,dtype=L.int64).exponential_()
L.zeros(0,dtype=L.bool).exponential_()
L.zeros(0,dtype=L.int64).log_normal_()
L.zeros(0,dtype=L.int64).geometric_(0.5)
L.zeros(0,dtype=L.bool).geometric_(0.5)
L.zeros(0,dtype=L.bool).random_()
L.randn_like(L.zeros(0,dtype=L.int64))
L.rand_like(L.zeros(0,dtype=L.int64))
L.bernoulli(L.zeros(0,dtype=L.int64))
L.bernoulli(L.zeros(0,dtype=L.int64),0.5)
L.zeros(0,dtype=L.int64).bernoulli_(L.zeros(0))
L.zeros(0).bernoulli_(L.zeros(0,dtype=L.int64))
L.normal(L.zeros(0,dtype=L.int64),1.)
L.poisson(L.zeros(0,dtype=L.int64))
L.multinomial(L.zeros(0,3),1)
L.linalg.cholesky(L.zeros(0))
L.linalg.cholesky(L.zeros(0,0))
L.cholesky(L.zeros(0,0))
L.linalg.pinv(L.zeros(0,0),hermitian=True)
L.linalg.pinv(L.zeros(0,3))
L.linalg.pinv(L.zeros(0,2,2),hermitian=True)
L.linalg.pinv(L.zeros(0,2,3),hermitian=True)
L.linalg.pinv(L.zeros(0,3),hermitian=True)
L.linalg.matrix_rank(L.zeros(0,0))
L.linalg.matrix_rank(L.zeros(0,3))
L.linalg.matrix_rank(L.zeros(0,2,2))
L.linalg.matrix_rank(L.zeros(0,0),hermitian=True)
L.linalg.matrix_rank(L.zeros(2,0,3))
L.linalg.matrix_rank(L.zeros(0,3),hermitian=True)
L.linalg.eigvalsh(L.zeros(0,0))
L.linalg.eigh(L.zeros(0,0))
L.linalg.svd(L.zeros(0,0))
L.linalg.inv(L.zeros(0,0))
L.linalg.inv(L.zeros(0))
L.linalg.det(L.zeros(0,0))
L.linalg.slogdet(L.zeros(0,0))
L.linalg.cond(L.zeros(0,0))
L.linalg.qr(L.zeros(0,3))
L.cummax(L.zeros(0),0)
L.cummax(L.zeros(0,3),0)
L.cummin(L.zeros(0,3),1)
L.cummax(L.zeros(2,0),1)
L.cummax(L.zeros(2,0),0)
L.cummax(L.zeros(0,dtype=L.bool),0)
L.logcumsumexp(L.zeros(0),0)
L.logcumsumexp(L.zeros(0,dtype=L.int64),0)
L.cumprod(L.zeros(0),0)
L.cummax(L.zeros(0,dtype=L.float16),0)
L.zeros(0,dtype=L.bool).cumsum_(0)
L.zeros(0,dtype=L.bool).cumprod_(0)
L.take_along_dim(L.zeros(0),L.zeros(0,dtype=L.int64),0)
L.take_along_dim(L.zeros(0),L.zeros(0,dtype=L.int64))
L.take_along_dim(L.zeros(2,0),L.zeros(2,0,dtype=L.int64),0)
L.take_along_dim(L.zeros(2,0),L.zeros(2,0,dtype=L.int64),1)
L.take_along_dim(L.zeros(0,3),L.zeros(1,3,dtype=L.int64),1)
L.take_along_dim(L.zeros(0,3),L.zeros(0,1,dtype=L.int64),1)
L.take_along_dim(L.zeros(3,0),L.zeros(1,1,dtype=L.int64),0)
L.take_along_dim(L.zeros(2),L.zeros(0,dtype=L.int64))
L.take_along_dim(L.zeros(2,3),L.zeros(0,3,dtype=L.int64),0)
L.take(L.zeros(0),L.zeros(0,dtype=L.int64))
L.gather(L.zeros(0),0,L.zeros(0,dtype=L.int64))
L.gather(L.zeros(0,3),0,L.zeros(0,3,dtype=L.int64))
L.func.jvp(lambda q: F.scaled_dot_product_attention(q,L.ones(2,3),L.ones(2,3)),(L.zeros(0,3),),(L.zeros(0,3),))
L.func.jvp(lambda q: F.scaled_dot_product_attention(L.ones(2,3),q,q),(L.zeros(0,3),),(L.zeros(0,3),))
F.scaled_dot_product_attention(L.zeros(0,3),L.zeros(0,3),L.zeros(0,3))
F.scaled_dot_product_attention(L.zeros(2,3),L.zeros(0,3),L.zeros(0,3))
L.scatter_add(L.ones(2,requires_grad=True),0,L.empty(0,dtype=L.int64),L.ones(2))
L.scatter_add(L.ones(2),0,L.empty(0,dtype=L.int64),L.ones(2,requires_grad=True))
L.scatter(L.ones(2),0,L.empty(0,dtype=L.int64),L.ones(2,requires_grad=True))
L.scatter(L.ones(2,requires_grad=True),0,L.empty(0,dtype=L.int64),1.)
L.scatter_reduce(L.ones(2),0,L.empty(0,dtype=L.int64),L.ones(2,requires_grad=True),'sum')
L.scatter_reduce(L.ones(2),0,L.empty(0,dtype=L.int64),L.ones(2,requires_grad=True),'prod')
L.scatter_reduce(L.ones(2),0,L.empty(0,dtype=L.int64),L.ones(2,requires_grad=True),'amax')
L.scatter_reduce(L.ones(2),0,L.empty(0,dtype=L.int64),L.ones(2,requires_grad=True),'mean',include_self=False)
L.scatter(L.ones(2),0,L.empty(0,dtype=L.int64),L.ones(2,requires_grad=True),reduce='add')
L.ones(2).scatter_add_(0,L.empty(0,dtype=L.int64),L.ones(2,requires_grad=True))
L.ones(2).scatter_(0,L.empty(0,dtype=L.int64),L.ones(2,requires_grad=True))
L.index_add(L.ones(2),0,L.empty(0,dtype=L.int64),L.ones(0,requires_grad=True))
L.index_copy(L.ones(2),0,L.empty(0,dtype=L.int64),L.ones(0,requires_grad=True))
L.gather(L.ones(2,requires_grad=True),0,L.empty(0,dtype=L.int64))
# ----- Leaves in place -----
L.ones(2,requires_grad=True).masked_fill_(L.zeros(2,dtype=L.bool),1.)
L.ones(2,requires_grad=True).masked_scatter_(L.zeros(2,dtype=L.bool),L.ones(2))
L.ones(1,requires_grad=True).clone().lt_(1.)
L.ones(1,requires_grad=True).clone().logical_not_()
L.ones(2,requires_grad=True).bitwise_and_(L.ones(2,dtype=L.int64))
L.ones(2,requires_grad=True).bitwise_or_(1)
L.ones(2,requires_grad=True).bitwise_xor_(1)
L.ones(2,requires_grad=True).bitwise_not_()
L.ones(2,requires_grad=True).bitwise_left_shift_(1)
L.ones(2,requires_grad=True).bitwise_right_shift_(1)
L.ones(2,requires_grad=True).lcm_(L.ones(2,dtype=L.int64))
L.ones(2,requires_grad=True).gcd_(L.ones(2,dtype=L.int64))
L.ones(2,requires_grad=True).lcm_(L.ones(3))
L.ones(2,requires_grad=True).logical_and_(L.ones(3))
L.ones(2,requires_grad=True).logical_or_(L.ones(2))
L.ones(2,requires_grad=True).logical_not_()
L.ones(2,requires_grad=True).__iand__(L.ones(2))
L.ones(2,requires_grad=True).__ilshift__(L.ones(2))
L.ones(2,requires_grad=True).nextafter_(L.ones(2))
L.ones(2,requires_grad=True).swapaxes_(0,1)
L.ones(2,requires_grad=True).transpose_(0,1)
L.ones(2,requires_grad=True).swapdims_(0,1)
L.ones(2,requires_grad=True).squeeze_(4)
L.ones(2,requires_grad=True).unsqueeze_(4)
L.ones(2,2,2,requires_grad=True).t_()
L.ones(2,requires_grad=True).transpose_(0,0)
L.ones(2,requires_grad=True).squeeze_()
L.ones(2,requires_grad=True).cumsum_(5)
L.ones(2,requires_grad=True).tril_()
L.ones(2,requires_grad=True).index_add_(5,L.tensor([0]),L.ones(1))
L.ones(2,requires_grad=True).index_fill_(5,L.tensor([0]),1.)
L.ones(2,requires_grad=True).scatter_(5,L.tensor([0]),1.)
L.ones(2,requires_grad=True).masked_fill_(L.ones(3,dtype=L.bool),1.)
L.ones(2,requires_grad=True).add_(L.ones(3))
L.ones(2,requires_grad=True).copy_(L.ones(3))
L.ones(2,requires_grad=True).clamp_()
L.ones(2,requires_grad=True).lerp_(L.ones(3),1.)
L.ones(2,requires_grad=True).addcmul_(L.ones(3),L.ones(3))
L.ones(2,requires_grad=True).fill_(L.ones(3))
L.ones(2,requires_grad=True).addmm_(L.ones(3),L.ones(3))
L.ones(2,requires_grad=True).bernoulli_(3.)
L.ones(2,requires_grad=True).uniform_(3.,1.)
L.ones(2,requires_grad=True).normal_(0.,-1.)
L.ones(2,requires_grad=True).resize_(3)
# ----- The rest -----
F.cosine_similarity(L.ones(2),L.ones(2),0,-1.)
L.nn.CosineSimilarity(0,-1.)(L.ones(2),L.ones(2))
F.smooth_l1_loss(L.ones(2),L.ones(2),beta=float('inf'))
F.smooth_l1_loss(L.ones(2),L.ones(2),beta=-1.)
F.huber_loss(L.ones(2),L.ones(2),delta=0.)
F.softshrink(L.ones(2),float('inf'))
F.softshrink(L.ones(2),-1.)
F.softshrink(L.ones(2),float('nan'))
F.softshrink(L.ones(2,dtype=L.int64),-1.)
F.softshrink(L.ones(2).half(),1e5)
F.hardtanh(L.ones(2).half(),-1.,float('inf'))
L.sub(L.ones(2,dtype=L.int64),L.ones(2,dtype=L.int64),alpha=0.0)
L.sub(L.ones(1,dtype=L.int64).expand(2),L.ones(2,dtype=L.int64),alpha=0.0)
L.sub(L.ones(2,dtype=L.int64),L.ones(1,dtype=L.int64).expand(2),alpha=0.0)
L.add(L.ones(1,dtype=L.int64).expand(2),L.ones(2,dtype=L.int64),alpha=0.0)
L.rsub(L.ones(1,dtype=L.int64).expand(2),L.ones(2,dtype=L.int64),alpha=0.0)
L.linalg.vecdot(L.ones(2),L.ones(2).double())
L.linalg.vecdot(L.ones(2),L.ones(2,dtype=L.int64))
L.vdot(L.ones(2),L.ones(2).double())
L.dot(L.ones(2),L.ones(2).double())
L.dist(L.ones(2,dtype=L.int64),L.ones(2,dtype=L.int64))
L.dist(L.ones(2),L.ones(2,dtype=L.int64))
L.linalg.pinv(L.eye(2),rtol=L.tensor(0.1,requires_grad=True))
L.linalg.pinv(L.eye(2),atol=L.tensor(0.1,requires_grad=True))
L.linalg.matrix_rank(L.eye(2),rtol=L.tensor(0.1,requires_grad=True))
L.cumprod(L.ones(2,requires_grad=True),0,dtype=L.int64)
L.cumsum(L.ones(2,requires_grad=True),0,dtype=L.int64)
L.sum(L.ones(2,requires_grad=True),dtype=L.int64)
L.sum(L.ones(2,requires_grad=True),0,dtype=L.int64)
L.prod(L.ones(2,requires_grad=True),dtype=L.int64)
F.softmax(L.ones(2,requires_grad=True),0,dtype=L.int64)
L.ones(2,dtype=L.int64).square_()
L.tensor([True]).square_()
L.tensor([True]).square()
L.tensor([2]).square_()
L.roll(L.tensor(1.),0,[0])
L.roll(L.tensor(1.),[0],[0])
L.roll(L.tensor(1.),0,0)
L.roll(L.tensor(1.),1)
L.roll(L.tensor(1.),(1,2),(0,0))
L.roll(L.ones(2,0),1,5)
L.linalg.norm(L.eye(2),np.int64(1))
L.linalg.matrix_norm(L.eye(2),ord=np.int64(2))
L.linalg.cond(L.eye(2),np.int64(1))
L.linalg.vector_norm(L.ones(2),np.int64(1))
L.norm(L.ones(2,2),np.int64(1))
L.ones(1).expand(2,2).fill_(2.)
L.ones(1).expand(2,2).zero_()
L.ones(1).expand(2,2).copy_(L.ones(2,2))
L.ones(1).expand(2,2).clamp_(0,1)
L.ones(1).expand(2,2).neg_()
L.ones(1).expand(2,2).sort()[0]
L.ones(1).expand(2,2).round_(decimals=1)
L.ones(1).expand(2,2).cumsum_(0)
L.ones(1).expand(2,2).floor_divide_(2)
L.ones(1).expand(2,2).sign_()
L.ones(1).expand(2,2).relu_()
F.relu(L.ones(1).expand(2,2),inplace=True)
F.elu(L.ones(1).expand(2,2),inplace=True)
L.linspace(L.tensor(0.),1.,3)
L.linspace(L.tensor(0.),L.tensor(1.),3)
L.linspace(0,L.tensor(1.),3)
L.linspace(0,L.tensor(1),3)
L.linspace(L.tensor([0.]),1.,3)
L.linspace(L.tensor(0.,dtype=L.float64),L.tensor(1.,dtype=L.float64),3)
L.linspace(L.tensor(0.),1.,3,dtype=L.float64)
L.linspace(start=L.tensor(0.),end=1.,steps=3)
L.linspace(L.tensor(0.,requires_grad=True),1.,3)
L.linspace(0.,1.,L.tensor(3))
L.logspace(L.tensor(0.),1.,3)
L.logspace(L.tensor(0.),L.tensor(1.),3)
L.logspace(0,L.tensor(1.),3,base=2.)
L.logspace(L.tensor([0.]),1.,3)
L.arange(L.tensor(3))
L.arange(L.tensor(0.),L.tensor(3.))
L.range(L.tensor(0.),L.tensor(3.))
L.full((2,),L.tensor(3.))
L.add(np.int8(3),2)
L.sub(np.int8(3),2)
L.mul(np.float32(3),2)
L.div(np.float32(3),2)
L.add(np.float64(3),np.int8(2))
L.add(3,np.int8(2))
L.add(3,2)
L.add(3,2,alpha=2)
L.add(3,np.int8(2),alpha=2)
L.sub(3,2.,alpha=2)
L.div(3,2,rounding_mode='floor')
L.true_divide(np.int8(3),2)
L.multiply(np.int8(3),2)
L.pow(np.int8(3),L.tensor(2))
L.remainder(np.int8(3),L.tensor(2))
L.randn(0,dtype=L.int64)
L.rand(0,dtype=L.int64)
L.randn(0,dtype=L.bool)
L.normal(0.,1.,(0,),dtype=L.int64)
L.linalg.cholesky(L.zeros(2))
L.tensor(True).cumsum_(0)
L.tensor(True).cumprod_(0)
L.tensor([True]).cumsum_(0)
L.tensor(3).cumsum_(0)
L.tensor(3).cumprod_(0)
L.tensor(True).cumsum(0)
L.triu(L.ones(3))
L.tril_indices(2,2,dtype=None)
L.triu_indices(2,2,dtype=None)
L.tril_indices(2,2)
L.tril_indices(2,2,dtype=L.int32)
L.tril_indices(2,2,dtype=L.float32)
L.tensor([1]).logical_and_(L.ones(1,requires_grad=True))
L.tensor([1]).logical_xor_(L.ones(1,requires_grad=True))
L.bernoulli(L.ones(2,requires_grad=True),0.5).requires_grad
L.bernoulli(L.ones(2,requires_grad=True)).requires_grad
L.unique(L.ones(2,requires_grad=True))
L.unique_consecutive(L.ones(2,requires_grad=True))
L.unique(L.ones(2,requires_grad=True),dim=0)
L.unique(L.ones(2,requires_grad=True),return_counts=True)
L.unique(L.ones(2,requires_grad=True)).grad_fn.name()
L.unique_consecutive(L.ones(2,requires_grad=True)).grad_fn.name()
L.unique(L.ones(2,requires_grad=True),dim=0).grad_fn.name()
L.unique(L.ones(2,requires_grad=True)).sum().backward()
L.histc(L.ones(2,requires_grad=True))
L.mode(L.ones(2,requires_grad=True))
L.nextafter(L.ones(2,requires_grad=True),L.ones(2))
L.heaviside(L.ones(2,requires_grad=True),L.ones(2))
L.bucketize(L.ones(2,requires_grad=True),L.ones(2))
L.poisson(L.ones(2,requires_grad=True)).requires_grad
L.arange(1,out=L.empty(()))
L.arange(2,out=L.empty(()))
L.linspace(0,1,1,out=L.empty(()))
L.logspace(0,1,1,out=L.empty(()))
L.range(0,0,out=L.empty(()))
L.arange(4,out=L.empty(2,2))
L.linspace(0,1,4,out=L.empty(2,2))
L.logspace(0,1,4,out=L.empty(2,2))
L.range(0,3,out=L.empty(2,2))
L.randperm(1,out=L.empty((),dtype=L.int64)).shape
L.randperm(4,out=L.empty((2,2),dtype=L.int64)).shape
L.ones(2).lcm_(L.ones(3))
L.ones(2).gcd_(L.ones(3))
L.ones(2).gcd(L.ones(3))
L.ones(2).bitwise_and_(L.ones(3))
L.ones(2).bitwise_and(L.ones(3))
L.ones(2).bitwise_left_shift(L.ones(3))
L.ones(2).bitwise_left_shift_(L.ones(3))
L.finfo(L.float16).resolution
L.finfo(L.float32).resolution
L.finfo(L.float64).resolution
L.finfo(L.float16)
L.finfo(L.bfloat16)
L.finfo(L.bfloat16).bits
L.finfo(L.bfloat16).max
L.finfo(L.float8_e4m3fn)
L.finfo(L.float8_e4m3fn).bits
L.finfo(L.float8_e4m3fn).max
L.finfo(L.float8_e4m3fnuz)
L.finfo(L.float8_e4m3fnuz).bits
L.finfo(L.float8_e4m3fnuz).max
L.finfo(L.float8_e5m2)
L.finfo(L.float8_e5m2).bits
L.finfo(L.float8_e5m2).max
L.finfo(L.float8_e5m2fnuz)
L.finfo(L.float8_e5m2fnuz).bits
L.finfo(L.float8_e5m2fnuz).max
L.finfo(L.float8_e8m0fnu)
L.finfo(L.float8_e8m0fnu).bits
L.finfo(L.float8_e8m0fnu).max
L.finfo(L.complex32)
L.finfo(L.complex32).bits
L.finfo(L.complex32).max
L.finfo(L.complex64)
L.finfo(L.complex64).bits
L.finfo(L.complex64).max
L.finfo(L.complex128)
L.finfo(L.complex128).bits
L.finfo(L.complex128).max
L.finfo(L.float16)
L.finfo(L.float16).bits
L.finfo(L.float16).max
L.iinfo(L.bool)
L.iinfo(L.uint16)
repr(L.iinfo(L.qint8))
# ----- Integrals and membership -----
L.INTEGRAL(L.arange(6.).reshape(2,3),L.ones(4))
L.INTEGRAL(L.arange(6.).reshape(2,3),L.ones(2,3),dx=1.)
L.INTEGRAL(L.tensor(1.))
L.INTEGRAL(L.arange(3))
L.INTEGRAL(L.arange(6.).reshape(2,3),dim=5)
L.INTEGRAL(L.ones(0))
L.INTEGRAL(L.ones(0,dtype=L.int64))
L.INTEGRAL(L.ones(2,0))
L.INTEGRAL(L.ones(2).bool())
L.INTEGRAL(L.arange(6.).reshape(2,3),L.ones(3).bool())
L.INTEGRAL(L.arange(6.).reshape(2,3),dx=True)
L.INTEGRAL(L.arange(6.).reshape(2,3),L.arange(2.)**2,dim=0)
L.INTEGRAL(L.arange(6.).reshape(2,3),L.arange(3)**2)
L.INTEGRAL(L.arange(6.).reshape(2,3),dx=L.tensor(2.))
L.INTEGRAL(L.arange(6.).reshape(2,3),L.tensor(1.))
L.INTEGRAL(L.ones(1),L.ones(1))
L.INTEGRAL(L.arange(6.).reshape(2,3),L.ones(2,1,3))
L.INTEGRAL(L.arange(3),dx=.5)
L.INTEGRAL(L.arange(6.).reshape(2,3).half(),dx=3)
L.isin(L.tensor([[1,2],[3,4]]),L.tensor([2,3]))
L.isin(L.tensor([[1,2],[3,4]]),2)
L.isin(2,L.tensor([2,3]))
L.isin(L.tensor([[1,2],[3,4]]).float(),L.tensor([2,3]))
L.isin(L.tensor([[1,2],[3,4]]),2.5)
L.isin(L.tensor([[1,2],[3,4]]),L.tensor([2,3]),invert=True)
L.isin(L.tensor([[1,2],[3,4]]),L.tensor([2,3]),assume_unique=True)
L.isin(L.tensor([float('nan')]),L.tensor([float('nan')]))
L.isin(L.tensor([[1,2],[3,4]]).bool(),L.tensor([2,3]))
L.isin(L.tensor([[1,2],[3,4]]).bool(),L.tensor([2,3])rue)
L.isin(3,L.tensor([[1,2],[3,4]]).bool())
L.isin(L.tensor([[1,2],[3,4]]).to(L.uint16),L.tensor([2,3]).to(L.uint16))
L.isin(L.ones(0),L.tensor([2,3]))
L.isin(L.tensor([[1,2],[3,4]]),L.ones(0))
L.isin(L.tensor([[1,2],[3,4]]).half(),L.tensor([2,3]).half())
L.isin(L.tensor([[1,2],[3,4]]).int(),L.tensor([2,3]))
L.isin(L.tensor([[1,2],[3,4]]).to(L.uint8),300)
L.isin(L.tensor([1,2],dtype=L.uint8),L.tensor([257]))
L.isin(L.tensor([2**24+1]),L.tensor([2.**24]))
"""


def _shown(x: Any) -> Any:
    if isinstance(x, (npg.Tensor, torch.Tensor)):
        return str(x.dtype).split(".")[-1], tuple(x.shape), x.requires_grad, repr(x.tolist())
    if isinstance(x, (tuple, list)):
        return [_shown(item) for item in x]
    return repr(x).replace("npg", "torch")


def _outcome(lib: Any, call: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _shown(eval(call, {"L": lib, "F": lib.nn.functional, "np": np}))
        except Exception as error:
            return type(error).__name__, str(error).split("\n")[0].replace("npg", "torch")


def _calls() -> list[str]:
    """Return the lines of CALLS, those of INTEGRAL once for each function that it stands for."""
    integrals = "trapezoid", "trapz", "cumulative_trapezoid"
    lines = [line for line in CALLS.strip().split("\n") if line[0] != "#"]
    return [line.replace("INTEGRAL", name) for line in lines for name in integrals[: 3 if "INTEGRAL" in line else 1]]


@pytest.mark.parametrize("call", _calls())
def test_call_at_the_edge_does_what_pytorch_does(call):
    assert _outcome(npg, call) == _outcome(torch, call)


# ----- Where npg differs on purpose -----


def test_numpy_bool_counts_as_a_bool():
    """PyTorch's parser treats np.bool_ as a float; in npg it is a bool, which promotes nothing."""
    x = npg.tensor([2, 3])
    for y in (x * np.True_, x + np.False_, np.True_ * x, x**np.True_, x.mul_(np.True_)):
        assert y.dtype is npg.int64
        assert y.tolist() == [2, 3]


def test_writes_to_overlapping_memory_are_refused():
    """PyTorch allows some, with a result that depends on the order of the writes."""
    for write in (npg.Tensor.tril_, npg.Tensor.triu_):
        x = npg.ones(1).expand(2, 2)
        with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
            write(x)
        assert x.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_triu_of_a_vector_within_vmap_is_refused():
    """PyTorch treats the batch as rows."""
    with pytest.raises(RuntimeError, match="must have at least 2 dimensions"):
        npg.func.vmap(npg.triu)(npg.ones(2, 3))


def test_integers_take_no_history_from_a_comparison():
    """In PyTorch an int64 tensor would then require grad."""
    x = npg.tensor([1])
    assert not x.lt_(npg.ones(1, requires_grad=True)).requires_grad


def test_forward_mode_through_unique_is_refused():
    for function in (npg.unique, npg.unique_consecutive, lambda x: npg.unique(x, dim=0)):
        with pytest.raises(NotImplementedError, match="unique"):
            npg.func.jvp(function, (npg.ones(2),), (npg.ones(2),))


def test_shape_beyond_numpys_bytes_says_so():
    with pytest.raises(RuntimeError, match="Storage size calculation overflowed"):
        npg.zeros(0).view(2**62, 0)


A, C = "lib.ones(2, 4)", "lib.tensor([0, 1])"
WRONG_KINDS = [
    *(f"cosine_similarity({A}, {A}, {dim})" for dim in ("None", "()", "(1,)", "1.5", "True", "'a'")),
    *(f"pairwise_distance({A}, {A}, {p})" for p in ("None", "'a'", "(2,)")), f"pairwise_distance(2.0, {A})",
    *(f"glu({A}, {dim})" for dim in ("1.5", "True", "None")), f"group_norm({A}, True)",
    *(f"embedding({C}, {A}, {row})" for row in ("1.5", "True")), "one_hot(3)", f"one_hot(tensor={C})",
    *(f"poisson_nll_loss({A}, {A}, eps={eps})" for eps in ("None", "'a'")),
]  # fmt: skip


@pytest.mark.parametrize("call", WRONG_KINDS)
def test_settings_of_a_wrong_kind_are_refused_where_they_were_ignored(call):
    check_error(f"lib.nn.functional.{call}", text="eps=" not in call)


@pytest.mark.parametrize("ignored", ["1.5", "True", "None"])
def test_ignored_classes_are_integers(ignored):
    for name in ("nll_loss", "cross_entropy"):
        check_error(f"lib.nn.functional.{name}({A}, {C}, None, None, {ignored})", text=False)


@pytest.mark.parametrize(
    "call",
    ["conv_transpose1d()", f"conv_transpose1d({A})", f"bilinear({A})", "avg_pool2d()", f"pdist({A}, input={A})",
     f"mse_loss({A}, input={A})", f"channel_shuffle({A})"],
)  # fmt: skip
def test_all_missing_arguments_are_named(call):
    check_error(f"lib.nn.functional.{call}")


def test_keywords_are_not_missing():
    group_norm = npg.nn.functional.group_norm
    with pytest.raises(TypeError, match=r'missing 1 required positional arguments: "num_groups"$'):
        group_norm(input=npg.ones(2, 2))
    with pytest.raises(TypeError, match=r'missing 2 required positional argument: "input", "num_groups"$'):
        group_norm(eps=1e-3)


def test_unknown_keyword_of_a_module_is_named_before_what_is_missing():
    with pytest.raises(TypeError, match=r"^Conv2d\(\) got an unexpected keyword argument 'kernel'$"):
        npg.nn.Conv2d(3, 8, kernel=3)
